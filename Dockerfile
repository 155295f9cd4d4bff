# One image for every role: `byteshop serve`, `work`, `relay`, `migrate` and all the rest.

FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
# The caches keep a rebuild to what changed; the program is copied out of them in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --profile dist --bin byteshop \
    && cp target/dist/byteshop /byteshop

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/byteshop --create-home byteshop
COPY --from=build /byteshop /usr/local/bin/byteshop
USER byteshop
WORKDIR /var/lib/byteshop
EXPOSE 8080 9464
ENTRYPOINT ["byteshop"]
CMD ["serve"]
