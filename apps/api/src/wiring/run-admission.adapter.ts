import { Injectable } from '@nestjs/common';
import { type RunGrant, RunMeter, runLimitReached } from '#billing';
import { Clock, type Tx } from '#platform';
import { type Admission, type AdmissionRequest, RunAdmission } from '#workflows';

/** Runs are admitted, and counted, by billing's meter. */
@Injectable()
export class RunAdmissionAdapter extends RunAdmission {
  constructor(
    private readonly meter: RunMeter,
    private readonly clock: Clock,
  ) {
    super();
  }

  prepare(workspaceIds: readonly string[]): Promise<void> {
    return this.meter.ensurePeriods(workspaceIds, this.clock.now());
  }

  async admit(tx: Tx, requests: readonly AdmissionRequest[]): Promise<ReadonlyMap<string, Admission>> {
    const grants = await this.meter.take(tx, requests, this.clock.now());
    return new Map(requests.map((request) => [request.workspaceId, admission(request, grants)]));
  }
}

function admission(request: AdmissionRequest, grants: ReadonlyMap<string, RunGrant>): Admission {
  const grant = grants.get(request.workspaceId);
  if (!grant) return { granted: 0, refusal: GONE };
  if (grant.granted >= request.runs || grant.limit === null) return { granted: grant.granted, refusal: null };
  const { code, context } = runLimitReached({ ...grant, limit: grant.limit });
  return { granted: grant.granted, refusal: { code, detail: context.detail, meta: context.meta ?? {} } };
}

/** The workspace was deleted between the request and its transaction, or its period ended in between. */
const GONE = { code: 'billing.no_period', detail: 'The workspace has no open period; try again.', meta: {} };
