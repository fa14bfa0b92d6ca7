import { rawGlobalsRule } from './raw-globals.mjs';

/** The environment is parsed once, at boot, into Config. */
export const injectedConfig = rawGlobalsRule({
  members: { process: /^(env|loadEnvFile)$/ },
  modules: { process: /^(env|loadEnvFile)$/ },
  message:
    'Raw {{what}}: add the setting to libs/platform/src/config/settings.ts and take Config from #platform, so that it ' +
    'is checked at boot and listed in .env.example.',
});
