export { CollectingLogger } from './collecting-logger';
export { CountingIds } from './counting-ids';
export { CountingRandom } from './counting-random';
export { barrier, eventually } from './eventually';
export { useEmptyDatabases } from './empty-databases';
export { PinnedClock } from './pinned-clock';
export { Signal } from './signal';
export { type TestDb, useTestDb } from './test-db';
export { type TestServices, testServices } from './test-services';
