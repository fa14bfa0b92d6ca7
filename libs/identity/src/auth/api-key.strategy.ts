import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { ApiKeyPrincipal } from '#platform';
import { ApiKeys } from '../api-keys/api-keys.service';
import { bearerOf, type CredentialHeaders } from './bearer';
import { RequestStrategy } from './request-strategy';

/** Passport's `api-key`: `Authorization: Bearer mr_live_…`. */
@Injectable()
export class ApiKeyStrategy extends PassportStrategy(RequestStrategy, 'api-key') {
  constructor(private readonly keys: ApiKeys) {
    super();
  }

  async validate(request: CredentialHeaders): Promise<ApiKeyPrincipal | null> {
    const bearer = bearerOf(request);
    return bearer === null ? null : this.keys.authenticate(bearer);
  }
}
