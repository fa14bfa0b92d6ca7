import { applyDecorators, Header, HttpCode, UseFilters } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import { PAGE_HEADERS } from './html-page';
import { ProblemPageFilter } from './problem-page.filter';
import { RawBodyRoute } from './raw-body.decorator';

/** A short form: a token, an answer, a password. More is not from our pages. */
const FORM_MAX_BYTES = 4_096;

/** A route that people meet in their browser: it answers with a page, also when something is wrong. No part of the API. */
export const HtmlRoute = () =>
  applyDecorators(
    ApiExcludeEndpoint(),
    HttpCode(200),
    UseFilters(ProblemPageFilter),
    ...Object.entries(PAGE_HEADERS).map(([name, value]) => Header(name, value)),
  );

/** A page route that takes the form of a page, which no JSON route does: its body arrives as bytes for `fieldsOf`. */
export const HtmlFormRoute = () => applyDecorators(HtmlRoute(), RawBodyRoute(FORM_MAX_BYTES));

/** The fields of a posted form; none for anything else. Of several with one name the first counts. */
export function fieldsOf(body: unknown): (name: string) => string {
  const form = new URLSearchParams(Buffer.isBuffer(body) ? body.toString('utf8') : '');
  return (name) => form.get(name) ?? '';
}
