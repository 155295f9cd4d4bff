# Stops the servers when the shop that started them is gone, however it went: its end of our input closes then.
# Input: lines "postgres PID" and "nats PID" with the processes of the moment, 0 for none.
# $1: the signal for Postgres. $2: a directory to remove in the end, or nothing.
trap '' INT TERM HUP
postgres=0
nats=0
while read -r name pid; do
  case $name in
    postgres) postgres=$pid ;;
    nats) nats=$pid ;;
  esac
done
# One that has ended and that nobody has collected yet is gone for us.
alive() { [ "$1" -gt 0 ] && kill -0 "$1" 2>/dev/null && ! grep -qs "^State:.*Z" "/proc/$1/status"; }
if alive "$postgres"; then kill -s "$1" "$postgres"; fi
if alive "$nats"; then kill -s TERM "$nats"; fi
tries=0
while [ $tries -lt 200 ] && { alive "$postgres" || alive "$nats"; }; do
  sleep 0.05
  tries=$((tries + 1))
done
if alive "$postgres"; then kill -s KILL "$postgres"; fi
if alive "$nats"; then kill -s KILL "$nats"; fi
if [ -n "$2" ]; then rm -rf -- "$2"; fi
