import { Injectable } from '@nestjs/common';
import { planOf, seatLimitReached } from '#billing';
import type { AppError } from '#platform';
import { SeatPolicy } from '#workspaces';

/** Seats are a limit of the plan. */
@Injectable()
export class SeatPolicyAdapter extends SeatPolicy {
  seatsOf(plan: string): number | null {
    return planOf(plan).limits.seats;
  }

  refusal(plan: string): AppError {
    return seatLimitReached(plan);
  }
}
