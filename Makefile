# Needs python3, make and git, nothing else: the first target that wants Python 3.13 and the packages of uv.lock fetches them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# An environment that happens to be active is not ours.
unexport VIRTUAL_ENV UV_PROJECT_ENVIRONMENT PYTHONHOME PYTHONPATH
export SAM_CLI_TELEMETRY := 0

uv_version := 0.13.9
uv := .uv/bin/uv
python := .venv/bin/python
sam := .venv-sam/bin/sam
has_uv := .uv/.has-$(uv_version)
has_packages := .venv/.matches-lock
has_sam := .venv-sam/.matches-lock

.PHONY: help demo run load events token test chaos guards bench test-docker lint type format check build validate hooks precommit clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

# ── The local stack ──────────────────────────────────────────────────────────────────────────────────────────────────
# PORT, NOW, DOCKER, META_GRAPH_URL, ORANGE_API_URL, CARD_HOSTS and CARD_BUCKETS (for `card_image` s3://…, made at moto
# by whoever wants them) reach the program as environment variables, whether they are given before `make` or after it. `exec`, so that a SIGTERM reaches Python and not a shell around it.

demo: $(has_packages)  ## a sample campaign on both channels, on this machine; exits 0 if every message came to its end
	@exec $(python) -m local demo

run: $(has_packages)  ## the same stack, and stays: make run PORT=9000 NOW=2026-11-23T10:00:00Z; DOCKER=1 for sam local
	@exec $(python) -m local run

# MESSAGES, RATE, PATIENCE (seconds) and PORT (a stack that runs; else one of its own); PAUSE=1 or CANCEL=1: what is done once a third has arrived.
load: $(has_packages)  ## 10,000 SMS from upload to receipts, the ledger held against the log: make load MESSAGES=1000 PORT=9000
	@exec $(python) -m local load --messages $(or $(MESSAGES),10000) --rate $(or $(RATE),1000) \
	  --patience $(or $(PATIENCE),300) \
	  $(if $(PAUSE),--at-a-third pause,$(if $(CANCEL),--at-a-third cancel))

events: $(has_packages)  ## write events/ anew: what the stack makes of every function and trigger, for sam local invoke
	@exec $(python) -m local events

# An empty SCOPES is a wish too: a token without scopes.
option = $(if $(filter undefined,$(origin $(1))),,--$(2)="$($(1))")
token: $(has_packages)  ## a JWT for the running stack: make token ORGANISATION=demo SCOPES="messaging.read" EXPIRES=-60
	@exec $(python) -m local token $(call option,ORGANISATION,organisation) $(call option,SCOPES,scopes) $(call option,EXPIRES,expires) $(call option,SUBJECT,subject)

# ── Checks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

test: $(has_packages)  ## everything that can be tested without Docker
	@exec $(python) -m pytest -n 2 --dist loadfile -m "not docker"

# SEEDS and FROM choose the simulated runs, SCENARIOS (words of their names) what is done to the stack: docs/chaos.md.
chaos: $(has_packages)  ## everything breaks, in thousands of simulated runs and over HTTP; tables; exit 1 if anything is lost, doubled or early
	@$(python) -m tests.simulation --seeds $(or $(SEEDS),2000) --from $(or $(FROM),0)
	@exec $(python) -m tests.chaos $(SCENARIOS)

# PARTS (sender, pace, picture, plan, fanout, webhook, latency, start, cost): docs/performance.md.
bench: $(has_packages)  ## what it costs and how fast it is: one table, and bench/results.json
	@exec $(python) -m bench $(PARTS)

# Built apart from .aws-sam/build, which holds what was built last for whichever architecture.
test-docker: $(has_sam) $(has_packages)  ## the built functions in containers, through sam local; skipped where no engine answers
	@if docker info >/dev/null 2>&1; then \
	  ARCHITECTURE=x86_64 $(sam) build --parameter-overrides Architecture=x86_64 --build-dir .aws-sam/x86_64 >&2; \
	else echo "no Docker engine answers: these tests are skipped" >&2; fi
	@exec $(python) -m pytest -m docker

guards: $(has_packages)  ## take each guard (claim, lease, epoch, gate, mask, …) out of a copy of the code and see its tests fail
	@exec $(python) -m tests.guards

lint: $(has_packages)  ## ruff: rules and format
	$(python) -m ruff check .
	$(python) -m ruff format --check .

type: $(has_packages)  ## mypy --strict
	$(python) -m mypy

format: $(has_packages)  ## let ruff put it right
	$(python) -m ruff check --fix .
	$(python) -m ruff format .

check: lint type validate test  ## all of the above

hooks: $(has_packages)  ## look at each commit beforehand (.pre-commit-config.yaml)
	$(python) -m pre_commit install

precommit: $(has_packages)  ## the same over all files
	$(python) -m pre_commit run --all-files

# ── Artefacts ────────────────────────────────────────────────────────────────────────────────────────────────────────

# arm64 or x86_64. SAM does not tell a makefile builder which one the template asks for, so it comes from here for both.
ARCHITECTURE ?= arm64
export ARCHITECTURE

validate: $(has_sam)  ## sam validate --lint
	$(sam) validate --lint

# uv, Python and packages stand before SAM starts five builds at once.
build: $(has_sam) $(has_packages)  ## sam build: make build ARCHITECTURE=x86_64 gives what this machine can run
	$(sam) build --parameter-overrides Architecture=$(ARCHITECTURE)
	@$(python) -m tests.artefacts.sizes .aws-sam/build

folder_ApiFunction := api
folder_BulkFanoutFunction := bulk_fanout
folder_SendWhatsAppFunction := send_whatsapp
folder_SendSmsFunction := send_sms
folder_WebhookFunction := webhook

platform_arm64 := aarch64-manylinux_2_28
platform_x86_64 := x86_64-manylinux_2_28

# SAM's makefile builder calls build-<logical ID>. Byte code goes along, because /var/task is read-only and compiling
# would cost each cold start more than half a second; it is the same on every architecture. It is never checked against
# its source (unchecked-hash) and names Lambda's path, not this machine's. Hidden files (.env.local, an editor's) stay here.
# Programs and Powertools' event handlers with their copy of Swagger UI (0.75 MB zipped) are left out: nothing here can
# serve or run them.
build-%: folder = $(or $(folder_$*),$(error no folder is named for $*))
build-%: platform = $(or $(platform_$(ARCHITECTURE)),$(error ARCHITECTURE is arm64 or x86_64, not $(ARCHITECTURE)))
build-%: $(has_packages)
	@test -n "$${ARTIFACTS_DIR:-}" || { echo "ARTIFACTS_DIR is not set: use make build" >&2; exit 1; }
	@$(uv) pip install --quiet --python $(python) --target "$$ARTIFACTS_DIR" --link-mode copy \
	  --python-version 3.13 --python-platform $(platform) --only-binary :all: --no-deps \
	  --requirements functions/$(folder)/requirements.txt
	@rm -rf "$$ARTIFACTS_DIR/bin" "$$ARTIFACTS_DIR/aws_lambda_powertools/event_handler"
	@mkdir -p "$$ARTIFACTS_DIR/functions"
	@cp functions/__init__.py "$$ARTIFACTS_DIR/functions/"
	@cp -R functions/$(folder) "$$ARTIFACTS_DIR/functions/"
	@cp -R shared "$$ARTIFACTS_DIR/"
	@find "$$ARTIFACTS_DIR" -mindepth 1 \( -name '.*' -o -name __pycache__ \) -prune -exec rm -rf {} +
	@$(python) -m compileall -q --invalidation-mode unchecked-hash -s "$$ARTIFACTS_DIR" -p /var/task "$$ARTIFACTS_DIR"

# ── The environment ──────────────────────────────────────────────────────────────────────────────────────────────────
# File targets, so that each step is taken once and again only when what it depends on changed. Their output goes to
# standard error: on standard output `make run` prints its base URL first and `make token` its token only.

$(has_uv):
	@echo "setting up uv $(uv_version)" >&2
	@python3 -m venv .uv >&2 || { echo "python3 cannot make virtual environments (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(uv_version) >&2
	@touch $@

$(has_packages): $(has_uv) pyproject.toml uv.lock .python-version
	@echo "setting up Python $$(cat .python-version) and the packages of uv.lock" >&2
	@$(uv) sync --frozen --quiet >&2
	@touch $@

# aws-sam-cli pins half of PyPI, so it lives apart.
$(has_sam): $(has_uv) pyproject.toml uv.lock .python-version
	@echo "setting up the SAM CLI" >&2
	@UV_PROJECT_ENVIRONMENT=.venv-sam $(uv) sync --frozen --quiet --only-group sam >&2
	@touch $@

clean:  ## forget what was built and fetched
	rm -rf .aws-sam .local .venv .venv-sam .uv
