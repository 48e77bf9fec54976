# The engine: one bundle run by Bun. The context is what images/build.ts staged, nothing else,
# so the build needs no network and no package manager.
FROM docker.io/library/debian:bookworm-slim
COPY bun /usr/local/bin/bun
COPY engine.js liblua5.1.wasm /opt/meridian/
# The root file system is read-only in Kubernetes: no transpiler cache, no home to write to.
ENV NODE_ENV=production BUN_RUNTIME_TRANSPILER_CACHE_PATH=0 DO_NOT_TRACK=1
# The JavaScript heap is a few MB whatever the data: a collection that waits for helper threads stops
# the loop longer than one that marks alone (docs/performance.md).
ENV BUN_JSC_numberOfGCMarkers=1
USER 65532:65532
WORKDIR /opt/meridian
EXPOSE 6379 7380 7443
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/bun", "/opt/meridian/engine.js"]
