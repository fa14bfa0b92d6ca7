export { BillingModule } from './billing.module';
export { billingTables } from './tables';
export { billingErrors, type PlanLimitReached, runLimitReached } from './errors';
export { type WorkspacePlan, WorkspacePlans } from './ports';
export { type Plan, planOf, plans, type PlanSlug } from './plans/plan-catalog';
export { type RunGrant, RunMeter, type RunRequest } from './usage/run-meter';
