export { BillingModule } from './billing.module';
export { runLimitReached, seatLimitReached } from './errors';
export { type WorkspacePlan, WorkspacePlans } from './ports';
export { planOf, plans } from './plans/plan-catalog';
export { type RunGrant, RunMeter } from './usage/run-meter';
export { UsagePurge } from './usage/usage-purge.service';
