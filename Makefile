# What people type here. Each target says what it does; `make` alone lists them. ARGS="..." is passed on to the program.

SHELL := /bin/sh
# No --package anywhere: it would select other features of the dependencies and build them twice.
CARGO ?= cargo
ARGS ?=
# Clippy compiles our own crates: one compilation lints them and builds their tests (docs/adr/0019-what-a-build-costs.md).
LINTED := RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__

# Tests wait for servers as much as they compute: two for each core keep it busy.
export RUST_TEST_THREADS ?= $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))

.PHONY: help up test check bench faults s3 fuzz tour openapi dist servers tools contract

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

up: servers ## the whole shop on this machine, with its own Postgres and NATS in ./.byteshop
	$(CARGO) build --locked --profile quick --bin byteshop
	BYTESHOP_DEV=true exec $${CARGO_TARGET_DIR:-target}/quick/byteshop up $(ARGS)

test: tools ## every test, those in a browser among them
	$(LINTED) $(CARGO) test --locked --workspace $(or $(ARGS),--lib --bins --tests)
	@$(MAKE) --no-print-directory contract

contract: tools ## lint docs/openapi.json, and buy something with a TypeScript client generated from it
	$(LINTED) $(CARGO) build --locked --workspace --bin byteshop
	sh scripts/contract.sh

check: ## format, lints, documentation and the rules of the house
	$(CARGO) fmt --all --check
	$(LINTED) $(CARGO) test --locked --workspace --test tidy
	$(LINTED) $(CARGO) test --locked --workspace --all-targets --no-run
	$(LINTED) RUSTDOC=$(CURDIR)/scripts/rustdoc-lints.sh $(CARGO) test --locked --workspace --doc

bench: servers ## every figure beside the limit of this machine, written to target/bench/results.json
	$(CARGO) build --locked --release --bin byteshop
	$(CARGO) bench --locked --workspace --bench bench -- $(ARGS)

faults: servers ## the crash tests, longer than `make test` runs them
	BYTESHOP_TEST_FAULT_ROUNDS=$${BYTESHOP_TEST_FAULT_ROUNDS:-50} $(CARGO) test --locked --workspace --release --test faults -- --nocapture $(ARGS)

s3: servers ## pictures in a bucket of a real S3-compatible server, which is installed from PyPI into target/s3
	$(CARGO) test --locked --workspace --test s3 --no-run
	bash scripts/s3.sh $(CARGO) test --locked --workspace --test s3 $(ARGS)

fuzz: servers ## what the OpenAPI document allows and forbids, sent by schemathesis: FUZZ_SECONDS for each of two callers
	$(CARGO) build --locked --workspace --bin byteshop
	sh scripts/fuzz.sh

tour: ## write docs/tour.md anew, with what its commands print
	BYTESHOP_TEST_WRITE=1 $(CARGO) test --locked --workspace --test it the_tour_can_be_walked

openapi: ## write docs/openapi.json anew from the code
	BYTESHOP_TEST_WRITE=1 $(CARGO) test --locked --workspace --test it the_document_in_docs_is_the_programs

dist: ## the program to ship: target/dist/byteshop
	$(CARGO) build --locked --profile dist --bin byteshop

servers:
	@sh scripts/install-servers.sh

tools:
	@sh scripts/install-servers.sh tests
