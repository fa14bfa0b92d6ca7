export { aPublishedWorkflow } from './a-published-workflow';
export { ScriptedEffects } from './scripted-effects';
export { heldLeases, startTestEngine, type TestEngine } from './test-engine';
export { chain, TestRuns } from './a-run';
