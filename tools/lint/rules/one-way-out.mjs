import { rawGlobalsRule } from './raw-globals.mjs';

/** Everything but what only looks at text. */
const TALKS = /^(?!(isIP|isIPv4|isIPv6|BlockList|STATUS_CODES|METHODS)$)/;
const ALL = /./;

/** The world is called through the guarded client: what opens a connection of its own passes by every policy. */
export const oneWayOut = rawGlobalsRule({
  bare: /^(fetch|WebSocket|EventSource|XMLHttpRequest)$/,
  modules: {
    http: TALKS,
    https: TALKS,
    http2: TALKS,
    net: TALKS,
    tls: ALL,
    dgram: ALL,
    dns: ALL,
    'dns/promises': ALL,
    undici: ALL,
  },
  message:
    'Raw {{what}}: only libs/workflows/src/egress opens connections to where customers point. Take EgressClient in the ' +
    'constructor, which judges every address and keeps to the policy of the workspace.',
});
