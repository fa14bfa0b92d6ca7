import { Module, type OnModuleDestroy } from '@nestjs/common';
import { Config, Db, Mail, productVersion, RateLimiter } from '#platform';
import { ApprovalRequests } from '../waits/approval-requests';
import { EgressClient } from '../egress/guarded-client';
import { approvalNode } from './approval.node';
import { builtinKinds } from './builtin-kinds';
import { emailSendNode } from './email-send.node';
import { httpRequestNode } from './http-request.node';
import { NodeKindRegistry } from './registry';

/** The kinds of node of this installation, and the one guarded client through which they reach the world. */
@Module({
  providers: [
    ApprovalRequests,
    {
      provide: EgressClient,
      inject: [Config],
      useFactory: (config: Config) =>
        new EgressClient({
          allowPrivateCidrs: config.values.egressAllowPrivate,
          userAgent: `Millrace/${productVersion()}`,
        }),
    },
    {
      provide: NodeKindRegistry,
      inject: [EgressClient, ApprovalRequests, Db, Mail, RateLimiter, Config],
      // oxlint-disable-next-line house/few-parameters -- injected by position
      useFactory: (
        client: EgressClient,
        requests: ApprovalRequests,
        db: Db,
        mail: Mail,
        limiter: RateLimiter,
        { values }: Config,
      ) =>
        new NodeKindRegistry([
          ...builtinKinds(),
          httpRequestNode(client),
          emailSendNode({ db, mail, limiter, readersPerDay: values.emailsPerDay }),
          approvalNode(requests),
        ]),
    },
  ],
  exports: [NodeKindRegistry],
})
export class NodesModule implements OnModuleDestroy {
  constructor(private readonly client: EgressClient) {}

  async onModuleDestroy(): Promise<void> {
    await this.client.close();
  }
}
