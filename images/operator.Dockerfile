# The operator: one bundle run by Node. The context is what images/build.ts staged, nothing else,
# so the build needs no network and no package manager.
FROM docker.io/library/debian:bookworm-slim
COPY node /usr/local/bin/node
COPY operator.mjs /opt/meridian/operator.mjs
ENV NODE_ENV=production
USER 65532:65532
WORKDIR /opt/meridian
EXPOSE 8081
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/node", "/opt/meridian/operator.mjs"]
