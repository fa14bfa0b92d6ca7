import { Injectable } from '@nestjs/common';
import { Users } from '#identity';
import type { Tx } from '#platform';
import { People, type Person } from '#workspaces';

/** Invitations are to addresses, which identity knows the people of. */
@Injectable()
export class PeopleAdapter extends People {
  constructor(private readonly users: Users) {
    super();
  }

  find(userId: string): Promise<Person | null> {
    return this.users.find(userId);
  }

  idOf(email: string): Promise<string | null> {
    return this.users.idOf(email);
  }

  lock(tx: Tx, userId: string): Promise<Person | null> {
    return this.users.lock(tx, userId);
  }

  prove(tx: Tx, { id, email }: Person): Promise<void> {
    return this.users.prove(tx, id, email);
  }
}
