import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../auth/decorators';
import { Config } from '../config/config';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import { devMailPage } from './dev-mail-page';
import { DevMailbox, type ReceivedMail } from './dev-mailbox';
import { mailRoute } from './mail-route';

/** The developer's mailbox. It does not exist where mails go out for real. */
@ApiExcludeController()
@Public()
@Controller('dev')
export class DevMailController {
  constructor(
    private readonly config: Config,
    private readonly mailbox: DevMailbox,
  ) {}

  @Get('mail')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('cache-control', 'no-store')
  page(): string {
    return devMailPage(this.#mails());
  }

  @Get('mail.json')
  @Header('cache-control', 'no-store')
  list(): { readonly data: readonly ReceivedMail[] } {
    return { data: this.#mails() };
  }

  #mails(): readonly ReceivedMail[] {
    if (mailRoute(this.config) === 'mailbox') return this.mailbox.mails();
    throw new AppError(platformErrors.not_found, { detail: 'No such resource.' });
  }
}
