# libpq with TLS, so that the database may stand on another machine, and the reader of models
FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends libssl-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked --features pg-tls,semantic

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libssl3 curl && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /var/lib/keshi keshi
COPY --from=build /src/target/release/keshi /usr/local/bin/keshi
USER keshi
VOLUME /var/lib/keshi
EXPOSE 8080
CMD ["keshi", "serve"]
