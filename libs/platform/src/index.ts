export { Config, ConfigError, parseConfig } from './config/config';
export { publicUrlOf } from './config/public-url';
export { Secret } from './config/secret';
export { loadConfig } from './config/load-config';
export { AppError, defineErrors, type Problem } from './errors/app-error';
export { platformErrors } from './errors/platform-errors';
export { Clock, SystemClock } from './time/clock';
export { Ids, isUuid, UuidV7Ids } from './ids/ids';
export { Random, SystemRandom } from './ids/random';
export { withDb } from './db/connect-db';
export { Db } from './db/db';
export { TenantDirectory } from './db/directory';
export { cellDataSourceOptions, FIRST_CELL } from './db/data-source';
export { checkDatabase, DatabaseCheckError } from './db/check-database';
export { MigrationError, type Migrations, type MigrationState, Migrator } from './db/migrator';
export { printSchemas } from './db/schema-printer';
export { isOutage, outlastOutage } from './db/outage';
export { onViolation } from './db/pg-errors';
export { knownStatements, type Statement, statement } from './db/statement';
export type { Tx } from './db/tx';
export { isCrossSite } from './auth/cross-site';
export {
  CurrentAccess,
  CurrentPrincipal,
  CurrentUser,
  CurrentVisitor,
  Public,
  Recognises,
  Requires,
} from './auth/decorators';
export {
  type Actor,
  actorOf,
  type ApiKeyPrincipal,
  type Principal,
  principalKey,
  type UserPrincipal,
} from './auth/principal';
export { AccessChanges } from './auth/access-changes';
export { LiveAccess } from './auth/live-access';
export { LivePrincipals } from './auth/live-principals.port';
export { type Access, WorkspaceAccess } from './auth/workspace-access.port';
export { hint, Hints } from './events/hints';
export type { LoopDuty, LoopResult } from './loops/loop-duty';
export { decodeCursor, encodeCursor, type Page, pageOf, pageQuery, pageSchema } from './http/page';
export { Idempotency, type IdempotencyKey } from './http/idempotency';
export { IdempotencyKeyOf } from './http/idempotency-key.decorator';
export { Alarm } from './time/alarm';
export { sleep } from './time/sleep';
export { Batcher } from './batch/batcher';
export { constantTimeEqual, sha256 } from './crypto/digest';
export { InstallationKeyError, loadInstallationKey, verifyInstallationKey } from './crypto/installation-key';
export { configuredKeyRing } from './crypto/configured-key-ring';
export { KeyRing } from './crypto/key-ring';
export { Keys } from './crypto/keys';
export { Resealer, type SealedColumn } from './crypto/resealer';
export { SecretBox } from './crypto/secret-box';
export { drainOrder, Lifecycle } from './lifecycle/lifecycle';
export { installSignalHandlers } from './lifecycle/signals';
export { Logger } from './log/logger';
export { NestLogger } from './log/nest-logger';
export { PinoLogger } from './log/pino-logger';
export type { LoopHandle } from './loops/loop';
export { Loops } from './loops/loops';
export { Notifications } from './db/listener';
export { emailAddress } from './mail/mail-address';
export { composeMail } from './mail/compose-mail';
export { Mail, type MailToSend } from './mail/mail';
export { RateLimit } from './limits/rate-limit.decorator';
export { answerStanding } from './limits/rate-limit-headers';
export { RateLimiter, type RatePolicy, type RateStanding } from './limits/rate-limiter';
export { PlatformModule, type PlatformOptions } from './platform.module';
export { AllowedMethods } from './http/allowed-methods';
export { type Client, clientOf, CurrentClient } from './http/client';
export { htmlPage } from './http/html-page';
export { fieldsOf, HtmlFormRoute, HtmlRoute } from './http/html-route';
export { installBodyParsers } from './http/body-parser';
export { etagOf, type ExpectedRevision, expectedRevisionOf, IfMatch, staleRevision } from './http/etag';
export { answerClientError, answerFrameworkError } from './http/framework-errors';
export { installHttpHooks } from './http/http-hooks';
export { HttpModule } from './http/http.module';
export { readJson } from './http/json-guard';
export { buildOpenApi, type OperationText, serveReference } from './http/openapi';
export { ProblemFilter } from './http/problem.filter';
export { productVersion } from './http/product-version';
export { RawBodyRoute } from './http/raw-body.decorator';
export { acceptedRequestId, currentRequest } from './http/request-context';
export { SchemaValidationPipe } from './http/schema-validation.pipe';
export { type EventStream, openStream } from './http/sse';
export {
  DataFolderInUseError,
  type EmbeddedPostgres,
  EmbeddedPostgresError,
  startEmbeddedPostgres,
} from './embedded-postgres';
