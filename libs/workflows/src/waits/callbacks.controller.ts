import { Controller, Headers, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Public, RawBodyRoute } from '#platform';
import { shownBody } from '../triggers/hooks/hook-event';
import { Callbacks } from './callbacks.service';

const acceptedCallback = z.object({ runId: z.uuid() }).meta({ id: 'AcceptedCallback' });

/** The largest body a call takes. */
const MAX_BODY_BYTES = 256 * 1024;

/** Where nodes that wait are called. The address is the secret; nothing else is asked for. */
@ApiTags('hooks')
@Controller('resume')
export class CallbacksController {
  constructor(private readonly callbacks: Callbacks) {}

  /** Lets a run go on with the body of this request: JSON as its value, a form as its fields, anything else as text. */
  @Post(':token')
  @HttpCode(202)
  @Public()
  @RawBodyRoute(MAX_BODY_BYTES)
  @ApiResponse({ status: 202, standardSchema: acceptedCallback })
  call(
    @Param('token') token: string,
    @Headers('content-type') contentType: string | undefined,
    @Req() request: { readonly rawBody?: Buffer; readonly body?: unknown },
  ): Promise<z.output<typeof acceptedCallback>> {
    const body = Buffer.isBuffer(request.body) ? request.body : (request.rawBody ?? Buffer.alloc(0));
    return this.callbacks.call(token, shownBody(contentType, body)['body'] ?? null);
  }
}
