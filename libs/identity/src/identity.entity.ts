import { TypeOrmModule } from '@nestjs/typeorm';
import { identityEntities } from './tables';

/** Makes identity's entities known to the application's DataSource, so that the application need not know them. */
export const IdentityEntitiesModule = TypeOrmModule.forFeature([...identityEntities]);
