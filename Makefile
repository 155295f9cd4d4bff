# Targets for developers; `make` alone lists them. ARGS="..." is passed on to the program.

SHELL := /bin/sh
# No --package anywhere: it would select other features of the dependencies and build them twice.
CARGO ?= cargo
ARGS ?=
# Clippy compiles our own crates: one compilation lints them and builds their tests (docs/adr/0019-what-a-build-costs.md).
LINTED := RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__

# Tests wait for servers as much as they compute, so two per core keep it busy.
export RUST_TEST_THREADS ?= $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))

.PHONY: help up test check advisories bench faults paypal s3 fuzz mutants tour openapi dist servers tools pip contract

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

up: servers ## run the whole shop on this machine, with its own Postgres and NATS in ./.byteshop
	$(CARGO) build --locked --profile quick --bin byteshop
	BYTESHOP_DEV=true exec $${CARGO_TARGET_DIR:-target}/quick/byteshop up $(ARGS)

test: tools ## run every test, including those in a browser; with ARGS some of them
	$(LINTED) $(CARGO) test --locked --workspace $(or $(ARGS),--lib --bins --tests)
	@$(if $(ARGS),true,$(MAKE) --no-print-directory contract)

contract: tools ## lint docs/openapi.json, and buy something with a TypeScript client generated from it
	$(LINTED) $(CARGO) build --locked --workspace --bin byteshop
	sh scripts/contract.sh

check: ## check format, dependencies, lints, documentation and the project rules
	$(CARGO) fmt --all --check
	sh scripts/deny.sh bans licenses sources
	$(LINTED) $(CARGO) test --locked --workspace --test tidy
	$(LINTED) $(CARGO) test --locked --workspace --all-targets --no-run
	$(LINTED) RUSTDOC=$(CURDIR)/scripts/rustdoc-lints.sh $(CARGO) test --locked --workspace --doc

advisories: ## look for known vulnerabilities of the dependencies, and yanked versions; needs GitHub
	sh scripts/deny.sh advisories

bench: servers ## run the benchmarks, each figure next to a limit of this machine; results in target/bench/results.json
	$(CARGO) build --locked --release --bin byteshop
	$(CARGO) bench --locked --workspace --bench bench -- $(ARGS)

faults: servers ## run the crash tests, longer than in `make test`
	BYTESHOP_TEST_FAULT_ROUNDS=$${BYTESHOP_TEST_FAULT_ROUNDS:-50} $(CARGO) test --locked --workspace --release --test faults -- --nocapture $(ARGS)

paypal: servers ## pay ten thousand times with PayPal's stand-in, while the shop is killed, and compare the books
	BYTESHOP_TEST_PAYPAL_PAYMENTS=$${BYTESHOP_TEST_PAYPAL_PAYMENTS:-10000} $(CARGO) test --locked --workspace --release --test faults paypal -- --nocapture $(ARGS)

s3: servers ## test images in a bucket of a real S3-compatible server, which is installed from PyPI into target/s3
	$(CARGO) test --locked --workspace --test s3 --no-run
	bash scripts/s3.sh $(CARGO) test --locked --workspace --test s3 $(ARGS)

fuzz: servers pip ## send valid and invalid requests by the OpenAPI document with schemathesis, FUZZ_SECONDS for each of two callers
	$(CARGO) build --locked --workspace --bin byteshop
	sh scripts/fuzz.sh

mutants: tools ## plant bugs in the domain and the engine, and list those that no test notices; hours (docs/mutants.md)
	sh scripts/mutants.sh $(ARGS)

tour: ## regenerate docs/tour.md and docs/marketplace.md with the output of their commands
	BYTESHOP_TEST_WRITE=1 $(LINTED) $(CARGO) test --locked --workspace --test it -- the_tour_can_be_walked the_tour_of_the_marketplace_can_be_walked

openapi: ## regenerate docs/openapi.json and docs/ACCESS.md from the code, and the Rust code of gateway/proto
	BYTESHOP_TEST_WRITE=1 $(LINTED) $(CARGO) test --locked --workspace --test it -- the_generated_code_is_that_of_the_contracts \
	  the_document_in_docs_is_the_programs the_page_of_who_may_call_what_is_up_to_date

dist: ## build the release binary, target/dist/byteshop
	$(CARGO) build --locked --profile dist --bin byteshop

servers:
	@sh scripts/install-servers.sh

tools:
	@sh scripts/install-servers.sh tests

pip:
	@sh scripts/install-servers.sh pip
