# Build: the toolchain and a C compiler (SQLite is compiled from source).
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin guerdon

# Run: the binary, certificates for fetching key sets, and a user without rights.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home guerdon \
    && install -d -o guerdon -g guerdon /data
COPY --from=build /src/target/release/guerdon /usr/local/bin/guerdon
USER 10001
WORKDIR /data
VOLUME /data
ENV GUERDON_LISTEN=0.0.0.0:8080 \
    GUERDON_DATABASE_URL=sqlite:///data/guerdon.db \
    GUERDON_LOG_FORMAT=json
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["guerdon", "healthcheck"]
ENTRYPOINT ["guerdon"]
# A key to check tokens with is needed: GUERDON_JWT_SECRET_FILE or GUERDON_JWT_JWKS. Migrate first: `guerdon migrate`.
CMD ["serve"]
