import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { Clock, RateLimit } from '#platform';
import { previewSchedule } from './schedule-preview';
import {
  schedulePreviewBody,
  type SchedulePreviewBody,
  schedulePreviewView,
  type SchedulePreviewView,
} from './schedule-preview.dto';

/** As fast as somebody can type. Computed in this process, in half a second at most. */
const perPerson = { name: 'schedule-preview', limit: 120, windowSeconds: 60, by: 'principal' } as const;

/** Schedules that are none yet. */
@ApiTags('workflows')
@Controller('v1/schedules')
export class SchedulePreviewController {
  constructor(private readonly clock: Clock) {}

  /** When a schedule would fire next, and what clock changes have to do with it. Nothing is stored. */
  @Post('preview')
  @HttpCode(200)
  @RateLimit(perPerson)
  @ApiResponse({ status: 200, standardSchema: schedulePreviewView })
  preview(@Body({ schema: schedulePreviewBody }) body: SchedulePreviewBody): SchedulePreviewView {
    return previewSchedule(body, this.clock);
  }
}
