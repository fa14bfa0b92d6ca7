export { aPublishedWorkflow, type PublishedWorkflow } from './a-published-workflow';
export { ScriptedEffects } from './scripted-effects';
export { chain, TestRuns } from './a-run';
export { heldLeases, PlannedLimits, startTestEngine, type TestEngine, testRing } from './test-engine';
export { controlRooms, somebody } from './control-rooms';
export { type AnyStatement, explained, tablesReadWhole } from './plans';
