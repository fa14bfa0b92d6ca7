import { Controller, Get } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Access, CurrentAccess, Requires } from '#platform';
import { usageView, type UsageView } from './usage.dto';
import { Usage } from './usage.service';

@ApiTags('billing')
@Controller('v1/workspaces/:workspaceId/usage')
export class UsageController {
  constructor(private readonly usage: Usage) {}

  /** What the workspace has used of its plan in the current period. */
  @Get()
  @Requires('billing:read')
  @ApiResponse({ status: 200, standardSchema: usageView })
  current(@CurrentAccess() access: Access): Promise<UsageView> {
    return this.usage.current(access.workspaceId);
  }
}
