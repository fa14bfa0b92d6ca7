import { Module } from '@nestjs/common';
import { UsagePurge } from './usage/usage-purge.service';
import { RunMeter } from './usage/run-meter';
import { UsageController } from './usage/usage.controller';
import { Usage } from './usage/usage.service';

/** Plans and the counting of runs. Needs the port WorkspacePlans. */
@Module({
  controllers: [UsageController],
  providers: [RunMeter, Usage, UsagePurge],
  exports: [RunMeter, UsagePurge],
})
export class BillingModule {}
