import { TypeOrmModule } from '@nestjs/typeorm';
import { workspacesEntities } from './tables';

/** Makes the entities of this lib known to the application's DataSource, so that the application need not know them. */
export const WorkspacesEntitiesModule = TypeOrmModule.forFeature([...workspacesEntities]);
