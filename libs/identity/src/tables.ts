import { ApiKeyEntity } from './api-keys/api-key.entity';
import { TermsAcceptanceEntity } from './users/terms-acceptance.entity';
import { UserEntity } from './users/user.entity';

/** The tables that identity owns: no statement or entity of another lib names them. */
export const identityTables = [
  'users',
  'user_terms_acceptances',
  'sessions',
  'user_tokens',
  'user_identities',
  'user_second_factors',
  'user_recovery_codes',
  'sign_in_attempts',
  'waitlist_entries',
  'account_deletions',
  'api_keys',
] as const;

/** Those of them that are read and written as entities. The others are named statements alone. */
export const identityEntities = [UserEntity, TermsAcceptanceEntity, ApiKeyEntity] as const;
