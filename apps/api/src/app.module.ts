import { type DynamicModule, Module } from '@nestjs/common';
import { BillingModule } from '#billing';
import { IdentityModule } from '#identity';
import { migrations } from '#migrations';
import { HttpModule, PlatformModule, type PlatformOptions } from '#platform';
import { WorkflowsModule } from '#workflows';
import { WorkspacesModule } from '#workspaces';
import { WiringModule } from './wiring/wiring.module';

/** The application: the platform, the domains, and the wiring between them. */
@Module({})
export class AppModule {
  static forRoot(platform: PlatformOptions): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.forRoot(platform),
        HttpModule.with(migrations),
        WiringModule,
        IdentityModule,
        WorkspacesModule,
        BillingModule,
        WorkflowsModule,
      ],
    };
  }
}
