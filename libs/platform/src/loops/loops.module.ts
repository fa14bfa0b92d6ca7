import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { Loops } from './loops';

/** Background loops on Nest's scheduler: its registry lists every timer of the application by name. */
@Module({
  imports: [ScheduleModule.forRoot()],
  providers: [Loops],
  exports: [Loops],
})
export class LoopsModule {}
