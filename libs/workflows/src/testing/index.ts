export { aPublishedWorkflow } from './a-published-workflow';
export { ScriptedEffects } from './scripted-effects';
export { startTestEngine, type TestEngine } from './test-engine';
