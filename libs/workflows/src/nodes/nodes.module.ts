import { Module, type OnModuleDestroy } from '@nestjs/common';
import { Config, Db, Logger, Mail, RateLimiter } from '#platform';
import { ApprovalRequests } from '../waits/approval-requests';
import { EgressModule } from '../egress/egress.module';
import { EgressClient } from '../egress/guarded-client';
import { Sandbox } from '../sandbox/sandbox';
import { approvalNode } from './approval.node';
import { builtinKinds } from './builtin-kinds';
import { codeNode } from './code.node';
import { emailSendNode } from './email-send.node';
import { httpRequestNode } from './http-request.node';
import { NodeKindRegistry } from './registry';

/**
 * The kinds of node of this installation, which reach the world through the one guarded client, and the sandbox in which
 * customers' code runs.
 */
@Module({
  imports: [EgressModule],
  providers: [
    ApprovalRequests,
    {
      provide: Sandbox,
      inject: [Config, Logger],
      useFactory: (config: Config, logger: Logger) =>
        new Sandbox({ threads: config.values.sandboxThreads, logger: logger.scoped('sandbox') }),
    },
    {
      provide: NodeKindRegistry,
      inject: [EgressClient, Sandbox, ApprovalRequests, Db, Mail, RateLimiter, Config],
      // oxlint-disable-next-line house/few-parameters -- injected by position
      useFactory: (
        client: EgressClient,
        sandbox: Sandbox,
        requests: ApprovalRequests,
        db: Db,
        mail: Mail,
        limiter: RateLimiter,
        { values }: Config,
      ) =>
        new NodeKindRegistry([
          ...builtinKinds(),
          httpRequestNode(client),
          codeNode(sandbox),
          emailSendNode({ db, mail, limiter, readersPerDay: values.emailsPerDay }),
          approvalNode(requests),
        ]),
    },
  ],
  exports: [NodeKindRegistry],
})
export class NodesModule implements OnModuleDestroy {
  constructor(private readonly sandbox: Sandbox) {}

  async onModuleDestroy(): Promise<void> {
    await this.sandbox.close();
  }
}
