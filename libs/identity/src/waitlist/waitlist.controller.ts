import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Public, RateLimit } from '#platform';
import { accepted, type Accepted, addressBody } from '../accepted.dto';
import { routeLimits } from '../limits';
import { Waitlist } from './waitlist.service';

const NOTED: Accepted = {
  message: 'The address is on the waiting list. A mail will come when there is room.',
};

/** The waiting list of an installation that lets people in one by one. */
@ApiTags('auth')
@Controller('v1/auth/waitlist')
export class WaitlistController {
  constructor(private readonly waitlist: Waitlist) {}

  /** Joins the waiting list; a second time changes nothing and is answered like the first. */
  @Public()
  @Post()
  @HttpCode(202)
  @RateLimit(routeLimits.waitlistPerIp)
  @ApiResponse({ status: 202, standardSchema: accepted })
  async join(@Body({ schema: addressBody }) { email }: z.output<typeof addressBody>): Promise<Accepted> {
    await this.waitlist.join(email);
    return NOTED;
  }
}
