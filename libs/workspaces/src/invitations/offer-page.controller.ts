import { Controller, Get, Header, Headers, Param, Post, Req, Res } from '@nestjs/common';
import { ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  AppError,
  CurrentVisitor,
  HtmlFormRoute,
  platformErrors,
  Public,
  Recognises,
  type UserPrincipal,
} from '#platform';
import { originOf } from '../audit/audit-origin';
import { People } from '../ports';
import { prefersHtml } from './accepts-html';
import { declinedPage, joinedPage, offerPage, refusedOfferPage, SIGNED_OUT } from './offer-page';
import { offerPreview, type OfferPreview } from './offers.dto';
import { type Answering, Offers } from './offers.service';

/**
 * What the link of an invitation leads to: JSON for programs, a page for browsers. Opening it changes nothing, because
 * mail scanners open links too; the buttons on the page do, for a browser that is signed in.
 */
@ApiTags('invitations')
@Public()
@Recognises()
@Controller('i/:token')
export class OfferPageController {
  constructor(
    private readonly offers: Offers,
    private readonly people: People,
  ) {}

  /** What an invitation or an invite link offers, for anyone who holds it. */
  @Get()
  @Header('vary', 'accept, cookie, authorization')
  @Header('cache-control', 'no-store')
  @Header('referrer-policy', 'same-origin')
  @ApiProduces('application/json')
  @ApiResponse({ status: 200, standardSchema: offerPreview })
  async show(
    @Param('token') token: string,
    @Headers('accept') accept: string | undefined,
    @CurrentVisitor() visitor: UserPrincipal | null,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OfferPreview | string> {
    if (!prefersHtml(accept)) return this.offers.preview(token);
    void reply.header('content-type', 'text/html; charset=utf-8');
    return this.#page(token, visitor, reply);
  }

  @Post('accept')
  @HtmlFormRoute()
  accept(
    @Param('token') token: string,
    @CurrentVisitor() visitor: UserPrincipal | null,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    return answered(visitor, request, async (who) => {
      const { workspaceName } = await this.offers.accept({ token }, who);
      return joinedPage(workspaceName);
    });
  }

  @Post('decline')
  @HtmlFormRoute()
  decline(
    @Param('token') token: string,
    @CurrentVisitor() visitor: UserPrincipal | null,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    return answered(visitor, request, async (who) => {
      await this.offers.decline({ token }, who);
      return declinedPage();
    });
  }

  async #page(token: string, visitor: UserPrincipal | null, reply: FastifyReply): Promise<string> {
    try {
      const offer = await this.offers.preview(token);
      const person = visitor && (await this.people.find(visitor.userId));
      return offerPage(token, offer, person?.email ?? null);
    } catch (error) {
      if (!(error instanceof AppError) || error.type !== platformErrors.not_found) throw error;
      void reply.code(404);
      return refusedOfferPage(error.context.detail);
    }
  }
}

/** Answers a button, or says on a page why not. What is our own fault keeps its status. */
async function answered(
  visitor: UserPrincipal | null,
  request: FastifyRequest,
  act: (who: Answering) => Promise<string>,
): Promise<string> {
  if (!visitor) return refusedOfferPage(SIGNED_OUT);
  try {
    return await act({ userId: visitor.userId, origin: originOf(request) });
  } catch (error) {
    const isTheirs = error instanceof AppError && !['bug', 'unavailable'].includes(error.type.kind);
    if (!isTheirs) throw error;
    return refusedOfferPage(error.context.detail);
  }
}
