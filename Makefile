# Every target needs only Node >= 18, npm and make: `npm ci` brings the runtimes (Node 24 and Bun) as packages.
.DEFAULT_GOAL := help
RUN := node_modules/.bin/node
BUN := node_modules/.bin/bun
JEST := $(RUN) --experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js
READY := node_modules/.package-lock.json

.PHONY: help install demo demo-kill demo-heal check test test-redis differential generate format sim sim-long sim-soak mutants crash keydb-cut failover bench bench-collections bench-eviction images e2e clients clean

help: ## print every target with its line
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Try it
install: $(READY) ## install the packages, runtimes included
$(READY): package.json package-lock.json
	npm ci --no-fund --no-audit
	@touch $@

demo: $(READY) ## three regions of three zones on this machine; clients on 127.0.0.1:7001, :7002, :7003
	@$(RUN) local/demo/main.ts

demo-kill: $(READY) ## break the running demo: REGION=eu and ZONE=eu-a | NODE=… | SHARD=0 (its primary) | CUT=1
	@$(RUN) local/demo/command.ts kill $(if $(REGION),--region $(REGION)) $(if $(ZONE),--zone $(ZONE)) $(if $(NODE),--node $(NODE)) $(if $(SHARD),--shard $(SHARD)) $(if $(CUT),--cut)

demo-heal: $(READY) ## bring everything in the running demo back: REGION=eu for one region only
	@$(RUN) local/demo/command.ts heal $(if $(REGION),--region $(REGION))

##@ Work on it
check: $(READY) ## types, formatter, linter
	node_modules/.bin/tsc --noEmit -p .
	node_modules/.bin/biome check .

test: check ## everything that runs in minutes: check, then all Jest tests
	@$(JEST) --reporters=default --reporters=./.ci/summary-reporter.js

test-redis: $(READY) ## compare commands with the redis-server on PATH
	@$(JEST) engine/command engine/differential

differential: $(READY) ## random commands beside the redis-server on PATH, byte by byte; COMMANDS=100000 SEED=
	@$(RUN) engine/differential/main.ts $(if $(COMMANDS),--commands $(COMMANDS)) $(if $(SEED),--seed $(SEED))

generate: $(READY) ## write the generated files anew: CRD, docs/api.md, docs/commands.md, docs/errors.md, chart
	$(RUN) operator/api/generate.ts
	$(RUN) engine/command/generate-docs.ts
	$(RUN) charts/generate.ts

format: $(READY) ## let biome format the sources
	node_modules/.bin/biome check --write .

##@ Prove it
sim: $(READY) ## deterministic simulation: 2,000 seeds, or SEED=n to replay one
	@$(RUN) engine/sim/main.ts $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),2000))

sim-long: $(READY) ## the simulation with fresh seeds for MINUTES=60
	@$(RUN) engine/sim/main.ts --minutes $(or $(MINUTES),60)

sim-soak: $(READY) ## 12 hours of simulated mixed load in three regions: nothing may grow; HOURS= SEED=
	@$(RUN) --expose-gc --no-warnings engine/sim/soak-main.ts $(if $(HOURS),--hours $(HOURS)) $(if $(SEED),--seed $(SEED))

mutants: $(READY) ## put mistakes into a copy of the engine, one by one: a test or seeds must notice; ONLY=text
	@$(RUN) bench/mutants.ts $(if $(ONLY),--only "$(ONLY)")

crash: $(READY) ## kill -9 loaded engines TRIES=200 times with FSYNC=always,everysec,no, LANES=3 at once; nothing acknowledged may be missing
	@$(RUN) bench/crash-loop.ts --tries $(or $(TRIES),200) $(if $(FSYNC),--fsync $(FSYNC)) $(if $(LANES),--lanes $(LANES))

keydb-cut: $(READY) ## 2 million keys, a cut of 5 minutes, 100,000 changes: time and bytes to catch up; KEYS= CHANGED= SECONDS= BACKLOG= COMPRESSION=zstd
	@$(RUN) bench/keydb-cut.ts $(if $(KEYS),--keys $(KEYS)) $(if $(CHANGED),--changed $(CHANGED)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(BACKLOG),--backlog $(BACKLOG)) $(if $(COMPRESSION),--compression $(COMPRESSION))

failover: $(READY) ## measure the gap at a writing client: WHAT=process|node|zone|hang TRIES=10
	@$(RUN) local/failover.ts --what $(or $(WHAT),process) --tries $(or $(TRIES),10)

bench: $(READY) ## speed and size beside the redis-server on PATH, about 10 minutes; PART=throughput|overhead|heap|latency|memory|restart|stall|replication
	@$(RUN) bench/main.ts $(if $(PART),--part $(PART)) $(if $(KEYS),--keys $(KEYS)) $(if $(RUNS),--runs $(RUNS))

bench-collections: $(READY) ## small hashes and sets beside the redis-server on PATH: bytes a key, speed pipelined by 16
	@$(RUN) bench/collections.ts

bench-eviction: $(READY) ## hit ratio of a cache that is too small, beside the redis-server on PATH; KEYS= REQUESTS=
	@$(RUN) bench/eviction.ts $(if $(KEYS),--keys $(KEYS)) $(if $(REQUESTS),--requests $(REQUESTS))

clients: $(READY) ## redis-py, go-redis, Jedis and redis-rs, fetched from their registries, against an engine, a proxy and members; LIBRARY=Jedis
	@$(RUN) e2e/clients/main.ts $(LIBRARY)

##@ Kubernetes
images: $(READY) ## build meridian-engine:dev and meridian-operator:dev with docker or podman
	@$(RUN) images/build.ts

e2e: $(READY) ## end-to-end suite on two real kind clusters; FEATURE=failover for one file
	@$(JEST) -c e2e/jest.config.js -i $(FEATURE) --reporters=default --reporters=./.ci/summary-reporter.js

clean: ## remove what was installed and built
	rm -rf node_modules dist .artifacts
