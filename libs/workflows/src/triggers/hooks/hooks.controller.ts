import { Controller, Get, Headers, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public, RawBodyRoute } from '#platform';
import { MAX_HOOK_BODY_BYTES } from '../../nodes/webhook-params';
import { acceptedHook, sendReply } from './hook-reply';
import { Hooks } from './hooks.service';

/** What the handlers look at of Fastify's request. */
interface RawRequest {
  readonly method: string;
  readonly rawBody?: Buffer;
  readonly body?: unknown;
}

type HeaderValues = Readonly<Record<string, string | string[] | undefined>>;
type QueryValues = Readonly<Record<string, unknown>>;

/** Where senders of webhooks call. The address is a secret; what else is asked for, the node says. */
@ApiTags('hooks')
@Controller('hooks')
export class HooksController {
  constructor(private readonly hooks: Hooks) {}

  /** Starts a run with the request as its event. It is durable once this answers. Takes any content type. */
  @Post(':token')
  @Public()
  @RawBodyRoute(MAX_HOOK_BODY_BYTES)
  @ApiResponse({ status: 202, standardSchema: acceptedHook })
  @ApiResponse({ status: 200, standardSchema: acceptedHook, description: 'The same delivery came before.' })
  call(
    @Param('token') token: string,
    @Headers() headers: HeaderValues,
    @Query() query: QueryValues,
    @Req() request: RawRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.#answer(token, { headers, query, request, reply });
  }

  /** The same with PUT, where the node allows it. */
  @Put(':token')
  @Public()
  @RawBodyRoute(MAX_HOOK_BODY_BYTES)
  @ApiResponse({ status: 202, standardSchema: acceptedHook })
  @ApiResponse({ status: 200, standardSchema: acceptedHook, description: 'The same delivery came before.' })
  put(
    @Param('token') token: string,
    @Headers() headers: HeaderValues,
    @Query() query: QueryValues,
    @Req() request: RawRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.#answer(token, { headers, query, request, reply });
  }

  /** Says that the webhook is there, and answers challenges. Starts a run where the node allows GET. */
  @Get(':token')
  @Public()
  @ApiResponse({
    status: 200,
    standardSchema: acceptedHook,
    description: 'The same delivery came before. Text, or nothing, where GET only asks.',
  })
  @ApiResponse({ status: 202, standardSchema: acceptedHook })
  get(
    @Param('token') token: string,
    @Headers() headers: HeaderValues,
    @Query() query: QueryValues,
    @Req() request: RawRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.#answer(token, { headers, query, request, reply });
  }

  async #answer(
    token: string,
    call: {
      readonly headers: HeaderValues;
      readonly query: QueryValues;
      readonly request: RawRequest;
      readonly reply: FastifyReply;
    },
  ): Promise<void> {
    const { headers, query, request, reply } = call;
    const body = Buffer.isBuffer(request.body) ? request.body : (request.rawBody ?? Buffer.alloc(0));
    const gone = (): AbortSignal => {
      const closed = new AbortController();
      // Whoever has gone while the delivery was stored will not go again.
      if (reply.raw.destroyed || reply.raw.closed) closed.abort();
      else reply.raw.once('close', () => closed.abort());
      return closed.signal;
    };
    sendReply(reply, await this.hooks.call(token, { method: request.method, headers, query, body }, gone));
  }
}
