# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# `make help` lists the targets. Needs Python 3.11 to 3.14, git and a connection to a Python package
# index; everything else is installed below .cache/. Choose the interpreter with PYTHON=.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first that works: a name on the PATH may be a shim that refuses to run, or lack venv.
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11
USABLE := import ensurepip, sys, venv; (3, 11) <= sys.version_info < (3, 15) or sys.exit(1); print(sys.executable)
PYTHON ?= $(shell for python in $(CANDIDATES); do "$$python" -c '$(USABLE)' 2>/dev/null && break; done)
NO_PYTHON = make needs Python 3.11 to 3.14 with its venv and ensurepip modules (on Debian and Ubuntu: the \
	package python3-venv). None of $(CANDIDATES) is one; name it with PYTHON=/path/to/python
RUN = @PYTHONPATH=tests $(or $(PYTHON),$(error $(NO_PYTHON))) -m tools.environments
NOX = $(RUN) nox nox --non-interactive --session

TARGETS := $(shell awk -F ':.*## ' '/^[a-z-]+:.*## / {print $$1}' $(firstword $(MAKEFILE_LIST)))
.PHONY: $(TARGETS)

# Make takes any other name for a file, and is content if there is one, such as the folder `tests`.
NEAR = $(strip $(foreach target,$(TARGETS),$(if $(filter $(target)%,$1)$(filter $1%,$(target)),$(target))))
HINT = $(if $(call NEAR,$1), (did you mean `make $(firstword $(call NEAR,$1))`?))
$(foreach goal,$(filter-out $(TARGETS),$(MAKECMDGOALS)),\
	$(error There is no target `$(goal)`$(call HINT,$(goal)); `make help` lists all))

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: ## Run a tour, against the emulator or the Infisical at TEST_INFISICAL_URL
	$(RUN) test python -m tools.demo $(ARGS)

emulator: ## Run the emulator until Ctrl-C
	$(RUN) test python -m emulator $(ARGS)

test: ## Run every check; ARGS="lint units" runs some
	$(RUN) nox python -m tools.check $(ARGS)

thorough: export THOROUGH := 1
thorough: ## Run every check as `test` does, with many more random cases and killed runs
	$(RUN) nox python -m tools.check $(ARGS)

coverage: export COVERAGE := 1
coverage: ## Run the tests, and list the branches of `plugins` that no test reaches
	$(RUN) nox python -m tools.check $(or $(ARGS),units functional audit awx docs-examples)

mutants: ## Change the code on purpose, and list the changes that no unit test notices
	$(RUN) mutants python -m tools.mutants $(ARGS)

unit: ## Run the unit tests without ansible-test, which is fast; ARGS= goes to pytest
	$(RUN) test pytest --quiet tests/unit $(ARGS)

contract: ## Check the emulator, or the Infisical at TEST_INFISICAL_URL, against the contract
	$(NOX) contract -- $(ARGS)

functional: ## Test the modules as Ansible runs them, against the emulator
	$(NOX) functional -- $(ARGS)

integration: ## Run ansible-test integration, against the emulator or the Infisical at TEST_INFISICAL_URL
	$(NOX) integration -- $(ARGS)

sanity: ## Run ansible-test sanity
	$(NOX) sanity -- $(ARGS)

lint: ## Check formatting, lint, types and licenses; change nothing
	$(RUN) nox python -m tools.check lint

format: ## Format the code and sort its imports
	$(NOX) formatters

bench: ## Measure how fast the modules are, and write it into the documentation; ARGS=--quick for less
	$(RUN) bench python -m bench $(ARGS)

matrix: ## Run sanity, units and integration on every ansible-core and Python that is installed
	$(RUN) test python -m tools.matrix $(ARGS)

docs: ## Build the documentation site into .cache/docs/html
	$(NOX) docs-site

build: ## Build the collection's artifact into .cache/dist
	$(NOX) build

release: ## Make and check a release, without publishing it: VERSION=1.2.0
	$(RUN) test python -m tools.release $(VERSION) $(ARGS)

requirements: ## Refresh the pinned development requirements
	$(RUN) nox python -m tools.requirements

clean: ## Remove everything that the other targets made
	rm -rf .cache
