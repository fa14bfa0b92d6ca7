import { Deliveries } from './deliveries.service';
import { DeliveriesController } from './deliveries.controller';
import { HookSettingsController } from './hook-settings.controller';
import { HooksController } from './hooks.controller';
import { Doorkeeper } from './doorkeeper.service';
import { HookSettings } from './hook-settings.service';
import { InboxReader } from './inbox-reader.service';
import { HookSecrets } from './hook-secrets.service';
import { Hooks } from './hooks.service';
import { InboxPurger } from './inbox-purger.loop';
import { Inboxes } from './inboxes.service';
import { LiveHooks } from './live-hooks.service';
import { RunAnswers } from './run-answers.service';
import { Rejections } from './rejections.service';

/** Their routes. */
export const hookControllers = [HooksController, HookSettingsController, DeliveriesController];

/** What webhooks are made of. */
export const hookProviders = [
  LiveHooks,
  HookSecrets,
  Rejections,
  Doorkeeper,
  Inboxes,
  Deliveries,
  RunAnswers,
  Hooks,
  HookSettings,
  InboxReader,
  InboxPurger,
];
