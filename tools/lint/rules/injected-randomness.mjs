import { rawGlobalsRule } from './raw-globals.mjs';

const RANDOM = /^(random|pseudoRandom|getRandomValues|prng$|rng$)/;

/** Randomness enters through Random and ids through Ids: a test can then say exactly what comes out. */
export const injectedRandomness = rawGlobalsRule({
  members: { Math: /^random$/, crypto: RANDOM },
  modules: { crypto: RANDOM },
  message:
    'Raw {{what}}: take Random (bytes, fraction, token) or Ids (next) from #platform in the constructor, so that a ' +
    'test can say exactly what comes out.',
});
