# One image for every role: `byteshop serve`, `work`, `relay`, `migrate` and all the rest. Base images are pinned by digest; update
# them deliberately, with their new digests.

FROM rust:1.95.0-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS build
WORKDIR /src
COPY . .
# The caches limit a rebuild to what changed; the program is copied out of them in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --profile dist --bin byteshop \
    && cp target/dist/byteshop /byteshop

FROM debian:bookworm-slim@sha256:7b140f374b289a7c2befc338f42ebe6441b7ea838a042bbd5acbfca6ec875818
# The directories are created with their owner, so that new volumes get the same owner.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/byteshop --create-home byteshop \
    && install -d -o byteshop -g byteshop -m 0700 /var/lib/byteshop /var/lib/byteshop-keys
COPY --from=build /byteshop /usr/local/bin/byteshop
USER 10001
WORKDIR /var/lib/byteshop
EXPOSE 8080 9464
ENTRYPOINT ["byteshop"]
CMD ["serve"]
