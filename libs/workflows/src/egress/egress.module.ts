import { Module, type OnModuleDestroy } from '@nestjs/common';
import { Config, productVersion } from '#platform';
import { BlockEventPurger } from './block-event-purger.loop';
import { BlockEvents } from './block-events.service';
import { EgressPolicies } from './egress-policies.service';
import { EgressPolicyController } from './egress-policy.controller';
import { EgressClient } from './guarded-client';

/** The one guarded client of this installation, and what workspaces say of it. Needs the port WorkflowAudit. */
@Module({
  controllers: [EgressPolicyController],
  providers: [
    EgressPolicies,
    BlockEvents,
    BlockEventPurger,
    {
      provide: EgressClient,
      inject: [Config, EgressPolicies, BlockEvents],
      useFactory: ({ values }: Config, policies: EgressPolicies, blocks: BlockEvents) =>
        new EgressClient({
          policies,
          blocks,
          allowPrivateCidrs: values.egressAllowPrivate,
          userAgent: `Millrace/${productVersion()}`,
        }),
    },
  ],
  exports: [EgressClient],
})
export class EgressModule implements OnModuleDestroy {
  constructor(private readonly client: EgressClient) {}

  async onModuleDestroy(): Promise<void> {
    await this.client.close();
  }
}
