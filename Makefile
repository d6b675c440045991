# Every command of the project. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help deps deps-test run test build check sbom scan bindings vectors faults bench pictures package clean-demo

# The browser that the station and every screen are tried in.
export CHROMIUM ?= $(firstword $(shell command -v chromium chromium-browser google-chrome))
export CARGO_TARGET_DIR ?= $(CURDIR)/target
DEBUG := $(CARGO_TARGET_DIR)/debug
RELEASE := $(CARGO_TARGET_DIR)/release

# One line for every build, and the same features under test: any other choice of packages builds WebKit's bindings and
# SQLCipher again, which takes minutes.
CARGO_BUILD := cargo build --locked --workspace --all-targets

UI_SOURCES := $(shell find ui -type f -not -path 'ui/node_modules/*' -not -path 'ui/dist/*')
UI := ui/dist/tablet/index.html

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## Install what building and running need, where it is missing
	@scripts/install-deps

deps-test:
	@scripts/install-deps test

# npm writes its own copy of the lock last, so that a cut installation starts again.
ui/node_modules/.package-lock.json: ui/package-lock.json | deps
	cd ui && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(UI): ui/node_modules/.package-lock.json $(UI_SOURCES)
	cd ui && npm run build
	@touch $@

run: deps $(UI) ## Start a demo ward, enrol this tablet and open its window
	$(CARGO_BUILD)
	@scripts/run $(DEBUG)

test: deps-test $(UI) ## Pass every test (there are no doc tests: examples of use are tests of their own)
	$(CARGO_BUILD)
	cd ui && npm test && npm run test:station && npm run test:screens
	cargo nextest run --locked --workspace --no-fail-fast

build: deps $(UI) ## Leave the release programs in target/release/
	cargo build --locked --release --workspace --bins
	@ls -l $(RELEASE)/lamplight $(RELEASE)/lamplight-server $(RELEASE)/lamplight-sim

# With ADVISORIES=DIR, a clone of RustSec's database, known weaknesses too.
check: deps $(UI) ## Formats, lints and types, with warnings denied
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cd ui && npm run check && npm run lint && npm run format
	node scripts/check-docs.mjs
	node scripts/check-vectors.mjs
	node scripts/check-sql.mjs
	@if command -v cargo-deny >/dev/null; then cargo deny --all-features check licenses bans sources; \
	else echo "cargo-deny is not installed: licences and sources were not checked"; fi
	@if [ -n "$(ADVISORIES)" ]; then scripts/check-advisories "$(ADVISORIES)"; fi

sbom: ui/node_modules/.package-lock.json ## Write what is linked in as CycloneDX (target/sbom)
	@command -v cargo-cyclonedx >/dev/null || [ -x target/tools/bin/cargo-cyclonedx ] \
	  || cargo install --locked cargo-cyclonedx --root target/tools
	@scripts/sbom

scan: deps $(UI) ## Let outside scanners look at the facility server's port and ask it everything, on this machine
	$(CARGO_BUILD)
	@scripts/scan-tls $(DEBUG)
	@scripts/scan-api $(DEBUG)

bindings: ## Write the TypeScript types of every command and view again
	UPDATE_BINDINGS=1 cargo nextest run --locked -p lamplight-domain --test bindings

vectors: ## Write the test vectors of the protocol again (docs/vectors)
	UPDATE_VECTORS=1 cargo nextest run --locked --workspace -E 'package(lamplight-domain) and binary(vectors)'

# The fault tests need the named steps of a debug build; histories are played as fast as the programs are.
HISTORIES ?= 20000
faults: deps-test $(UI) ## Try every fault at every place, and 20,000 histories, with a fresh seed (LAMPLIGHT_SEED=n repeats one)
	$(CARGO_BUILD)
	cargo build --locked --release --workspace --bins
	@seed=$${LAMPLIGHT_SEED:-$$((RANDOM * 32768 + RANDOM))}; echo "LAMPLIGHT_SEED=$$seed"; \
	LAMPLIGHT_FAULTS=long LAMPLIGHT_SEED=$$seed cargo nextest run --locked --workspace --no-fail-fast --profile faults \
	  -E 'package(lamplight-tests) and (binary(faults) or binary(histories))'; \
	$(RELEASE)/lamplight-faults histories --seed $$seed --count $(HISTORIES)

# With WRITE=docs/measures.md the table is written there too.
bench: deps-test $(UI) ## Measure, each figure beside its limit of the same run; keeps target/bench.json
	cargo build --locked --release --workspace --bins
	$(RELEASE)/lamplight-bench --json $(CARGO_TARGET_DIR)/bench.json $(if $(WRITE),--write $(WRITE))

pictures: deps-test $(UI) ## Walk a demo round through the real window and leave pictures in target/pictures/
	$(CARGO_BUILD)
	ALSA_CONFIG_PATH=$(CURDIR)/scripts/mute.conf $(DEBUG)/lamplight-walk \
	  --app $(DEBUG)/lamplight --server $(DEBUG)/lamplight-server --pictures target/pictures

package: build ## Pack the tablet app as a .deb, in target/release/bundle/
	cd src-tauri && ../ui/node_modules/.bin/tauri bundle --bundles deb

clean-demo: ## Forget the demo ward and its tablet
	rm -rf target/demo
