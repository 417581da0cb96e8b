# The only interface. Every target brings the dependencies up to date first and runs on the Node that is one of them.

MACHINE_PATH := $(PATH)
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# Types are stripped and code is compiled once per version of a file, not once per process.
export NODE_COMPILE_CACHE := $(CURDIR)/node_modules/.cache/compile
INSTALLED := node_modules/.installed
BENCH_INSTALLED := bench/node_modules/.installed
HORUX := node scripts/horux.ts

.DEFAULT_GOAL := help
.PHONY: help start dev check test fmt migrate migrate-tenants db-types migration tenant-migration pgboss-migration psql doctor bench reset

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

start: $(INSTALLED) ## everything, on a fresh machine too; Ctrl-C stops it
	@node scripts/start.ts $(ARGS)

dev: $(INSTALLED) ## the same, and processes restart when their code changes
	@node scripts/start.ts --watch $(ARGS)

check: $(INSTALLED) ## types, Biome, imports
	@node scripts/check.ts

test: $(INSTALLED) ## check, then all tests; f=src/taxes for some
	@node scripts/test.ts $(f)

fmt: $(INSTALLED) ## format, and mend what Biome can
	@biome check --write

migrate: $(INSTALLED) ## the central database
	@$(HORUX) migrate $(ARGS)

migrate-tenants: $(INSTALLED) ## every company's database; ARGS="--tenant … --dry-run --status --json"
	@$(HORUX) migrate-tenants $(ARGS)

db-types: $(INSTALLED) ## src/db/tables.ts from the migrations
	@node scripts/db-types.ts

migration: $(INSTALLED) ## n=name: a new file in migrations/
	@node scripts/new-migration.ts migrations "$(n)"

tenant-migration: $(INSTALLED) ## n=name: a new file in tenant-migrations/
	@node scripts/new-migration.ts tenant-migrations "$(n)"

pgboss-migration: $(INSTALLED) ## after a new version of pg-boss: the migration that brings its schema up
	@node scripts/pgboss-migration.ts

psql: $(INSTALLED) ## a prompt in the central database; t=RFC for a company's
	@$(HORUX) psql $(t)

doctor: $(INSTALLED) ## what is wrong on this machine, and what to do about it
	@$(HORUX) doctor $(ARGS)

bench: $(INSTALLED) $(BENCH_INSTALLED) ## measurements; only=B3,B6 for some
	@node bench/main.ts $(only)

reset: $(INSTALLED) ## stop, and delete everything that make start made
	@$(HORUX) reset $(ARGS)

# npm runs on the machine's Node: ours is among what it replaces.
$(INSTALLED): package.json package-lock.json
	@echo 'Instalando dependencias…'
	@PATH='$(MACHINE_PATH)' npm install --no-audit --no-fund
	@touch $@

# What only measurements need stays out of the product's own dependencies.
$(BENCH_INSTALLED): bench/package.json bench/package-lock.json
	@PATH='$(MACHINE_PATH)' npm ci --prefix bench --no-audit --no-fund
	@touch $@
