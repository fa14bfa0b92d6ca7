import { Module } from '@nestjs/common';
import { Config } from '../config/config';
import { DevMailController } from './dev-mail.controller';
import { DevMailbox } from './dev-mailbox';
import { Mail } from './mail';
import { MailBodies } from './mail-body';
import { MailDelivery } from './mail-delivery';
import { MailTransport } from './mail-transport.port';
import { SmtpTransport } from './smtp-transport';

/** Mails: the outbox, the loop that empties it, and the way out that the configuration names. */
@Module({
  controllers: [DevMailController],
  providers: [
    Mail,
    MailBodies,
    MailDelivery,
    DevMailbox,
    {
      provide: MailTransport,
      inject: [Config, DevMailbox],
      useFactory: ({ values }: Config, mailbox: DevMailbox): MailTransport =>
        values.smtpUrl ? new SmtpTransport(values.smtpUrl) : mailbox,
    },
  ],
  exports: [Mail],
})
export class MailModule {}
