import { Module, type OnModuleDestroy } from '@nestjs/common';
import { Config, Db, Logger, Mail, productVersion, RateLimiter } from '#platform';
import { ApprovalRequests } from '../waits/approval-requests';
import { EgressClient } from '../egress/guarded-client';
import { Sandbox } from '../sandbox/sandbox';
import { approvalNode } from './approval.node';
import { builtinKinds } from './builtin-kinds';
import { codeNode } from './code.node';
import { emailSendNode } from './email-send.node';
import { httpRequestNode } from './http-request.node';
import { NodeKindRegistry } from './registry';

/**
 * The kinds of node of this installation, the one guarded client through which they reach the world, and the sandbox in
 * which customers' code runs.
 */
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
  constructor(
    private readonly client: EgressClient,
    private readonly sandbox: Sandbox,
  ) {}

  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.client.close(), this.sandbox.close()]);
  }
}
