import { calledRunChecks } from './called-runs';
import type { Check } from './check';
import { effectChecks } from './effects';
import { faultChecks } from './faults';
import { messageChecks } from './messages';
import { recordChecks } from './records';
import { recoveryChecks } from './recovery';
import { startChecks } from './starts';
import { timeChecks } from './time';

/** Everything that is judged after the load has come to rest, in the order of the promises. */
export const checks: readonly Check[] = [
  ...faultChecks,
  ...startChecks,
  ...calledRunChecks,
  ...recordChecks,
  ...messageChecks,
  ...effectChecks,
  ...recoveryChecks,
  ...timeChecks,
].toSorted((one, other) => Number(one.promise.slice(1)) - Number(other.promise.slice(1)));
