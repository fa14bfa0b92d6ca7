import { TypeOrmModule } from '@nestjs/typeorm';
import { catalogEntities } from './catalog-entities';

/** Makes the entities of this lib known to the application's DataSource, so that the application need not know them. */
export const CatalogEntitiesModule = TypeOrmModule.forFeature([...catalogEntities]);
