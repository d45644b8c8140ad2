BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'conversations','m001_sessions_and_turns','2026-11-30 02:22:24.260066+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'conversations','m002_messages_and_wishes','2026-11-30 02:22:24.271671+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'conversations','m003_sheets_and_consent','2026-11-30 02:22:24.286831+00:00');
CREATE TABLE "consents" (
   "owner" TEXT,
   "grantee" TEXT,
   "answer" TEXT NOT NULL,
   PRIMARY KEY ("owner", "grantee")
);
INSERT INTO "consents" VALUES('discord:1001','discord:1002','always');
INSERT INTO "consents" VALUES('discord:1001','*','never');
INSERT INTO "consents" VALUES('discord:1002','discord:1001','never');
CREATE TABLE "deliveries" (
   "key" TEXT PRIMARY KEY,
   "turn_id" TEXT REFERENCES "turns"("id")
);
INSERT INTO "deliveries" VALUES('discord:501:9001','up01');
INSERT INTO "deliveries" VALUES('discord:501:9010','done');
INSERT INTO "deliveries" VALUES('discord:501:9011','done');
INSERT INTO "deliveries" VALUES('discord:501:9020','wait');
INSERT INTO "deliveries" VALUES('discord:501:9021','runn');
INSERT INTO "deliveries" VALUES('discord:501:9022','deld');
INSERT INTO "deliveries" VALUES('discord:501:9023','fail');
INSERT INTO "deliveries" VALUES('discord:501:9024','canc');
INSERT INTO "deliveries" VALUES('discord:501:9025','grid');
INSERT INTO "deliveries" VALUES('web:web1','web1');
INSERT INTO "deliveries" VALUES('discord:601:9030','visi');
INSERT INTO "deliveries" VALUES('discord:502:9040','up04');
CREATE TABLE "facts" (
   "key" TEXT PRIMARY KEY,
   "value" TEXT
);
INSERT INTO "facts" VALUES('house discord:77','{"is_paused": false, "blocked": ["discord:1009", "discord:1008"], "closed": ["discord:510"], "hidden": ["discord:501", "discord:512"], "overheard": ["discord:511"], "waiting": 2, "per_day": 20, "own_only": true, "reports": "discord:520", "barred": ["0123456789abcdef", "fedcba9876543210"], "language": "de", "log": [{"at": 1790000039.0, "by": "discord:1002", "rule": "pause", "subject": ""}, {"at": 1790000040.0, "by": "discord:1002", "rule": "resume", "subject": ""}, {"at": 1790000041.0, "by": "discord:1002", "rule": "close", "subject": "discord:510"}, {"at": 1790000042.0, "by": "discord:1002", "rule": "hide", "subject": "discord:501"}, {"at": 1790000043.0, "by": "discord:1002", "rule": "overhear", "subject": "discord:511"}, {"at": 1790000044.0, "by": "discord:1002", "rule": "limits", "subject": ""}, {"at": 1790000045.0, "by": "discord:1002", "rule": "reports", "subject": "discord:520"}, {"at": 1790000046.0, "by": "discord:1002", "rule": "block", "subject": "discord:1009"}, {"at": 1790000047.0, "by": "discord:1002", "rule": "bar", "subject": "0123456789abcdef"}, {"at": 1790000048.0, "by": "discord:1002", "rule": "own_only", "subject": ""}]}');
INSERT INTO "facts" VALUES('house discord:78','{"is_paused": true, "blocked": [], "closed": [], "hidden": [], "overheard": [], "waiting": null, "per_day": null, "own_only": false, "reports": null, "barred": [], "language": "en", "log": [{"at": 1790000049.0, "by": "discord:1003", "rule": "pause", "subject": ""}]}');
INSERT INTO "facts" VALUES('discord:language:1001','de');
INSERT INTO "facts" VALUES('discord:language:1002','es');
INSERT INTO "facts" VALUES('discord:hint:1002','2026-09-20');
INSERT INTO "facts" VALUES('discord:hint:1003','2026-09-21');
INSERT INTO "facts" VALUES('discord:last_seen','1287654321098765432');
INSERT INTO "facts" VALUES('discord:dms','[701, 702]');
INSERT INTO "facts" VALUES('forgotten discord:501 discord:1002','1790000054.0');
CREATE TABLE "heads" (
   "session_id" TEXT REFERENCES "sessions"("id"),
   "person" TEXT,
   "turn_id" TEXT NOT NULL REFERENCES "turns"("id"),
   "redo" TEXT NOT NULL,
   "moved_at" REAL NOT NULL,
   PRIMARY KEY ("session_id", "person")
);
INSERT INTO "heads" VALUES('ses001','discord:1002','runn','[]',1790000008.0);
INSERT INTO "heads" VALUES('ses001','discord:1001','up01','["done"]',1790000027.0);
INSERT INTO "heads" VALUES('ses002','web:5f2c','web1','[]',1790000029.0);
INSERT INTO "heads" VALUES('ses003','discord:1003','visi','[]',1790000034.0);
INSERT INTO "heads" VALUES('ses004','discord:1002','up04','[]',1790000038.0);
CREATE TABLE "seen" (
   "event_id" TEXT PRIMARY KEY,
   "at" REAL
);
INSERT INTO "seen" VALUES('discord:m:done',1790000003.0);
INSERT INTO "seen" VALUES('discord:m:wait',1790000007.0);
INSERT INTO "seen" VALUES('discord:m:runn',1790000008.0);
INSERT INTO "seen" VALUES('discord:m:deld',1790000010.0);
INSERT INTO "seen" VALUES('discord:m:delf',1790000013.0);
INSERT INTO "seen" VALUES('discord:m:fail',1790000016.0);
INSERT INTO "seen" VALUES('discord:m:canc',1790000020.0);
INSERT INTO "seen" VALUES('discord:m:grid',1790000023.0);
INSERT INTO "seen" VALUES('web:e:77',1790000029.0);
INSERT INTO "seen" VALUES('discord:i:1',1790000033.0);
INSERT INTO "seen" VALUES('discord:i:2',1790000034.0);
INSERT INTO "seen" VALUES('report discord:1002 done',1790000050.0);
INSERT INTO "seen" VALUES('report discord:1003 gone',1790000051.0);
INSERT INTO "seen" VALUES('appeal discord:1001 0123456789abcdef',1790000052.0);
INSERT INTO "seen" VALUES('answered discord:m:done',1790000053.0);
CREATE TABLE "sessions" (
   "id" TEXT PRIMARY KEY,
   "channel" TEXT NOT NULL,
   "owner" TEXT NOT NULL,
   "created_at" REAL NOT NULL
, "is_locked" INTEGER);
INSERT INTO "sessions" VALUES('ses001','discord:501','discord:1001',1790000002.0,NULL);
INSERT INTO "sessions" VALUES('ses002','web:5f2c','web:5f2c',1790000028.0,NULL);
INSERT INTO "sessions" VALUES('ses003','discord:601','discord:1003',1790000033.0,NULL);
INSERT INTO "sessions" VALUES('ses004','discord:502','discord:1002',1790000038.0,1);
CREATE TABLE "turns" (
   "id" TEXT PRIMARY KEY,
   "session_id" TEXT NOT NULL REFERENCES "sessions"("id"),
   "number" INTEGER NOT NULL,
   "parent_id" TEXT,
   "owner" TEXT NOT NULL,
   "instruction" TEXT NOT NULL,
   "expressive" TEXT,
   "reading" TEXT,
   "state" TEXT NOT NULL,
   "wish" TEXT,
   "settings" TEXT,
   "image" TEXT,
   "seconds" TEXT,
   "changed" REAL,
   "notes" TEXT,
   "error" TEXT,
   "source" TEXT,
   "delivered" TEXT,
   "created_at" REAL NOT NULL,
   "finished_at" REAL
, "grid" TEXT, "is_reworded" INTEGER);
INSERT INTO "turns" VALUES('up01','ses001',0,NULL,'discord:1001','',NULL,NULL,'done',NULL,NULL,'0000000000000000000000000000000000000000000000000000000000000000','{}',NULL,'["This is an animation; I used the first frame."]',NULL,'{"channel":501,"message":9001,"guild":77,"file_limit":10485760,"language":"de","token":null,"parent":500,"hidden":true,"lent_by":"discord:1009"}','discord:501:9001',1790000002.0,1790000002.0,NULL,0);
INSERT INTO "turns" VALUES('done','ses001',1,'up01','discord:1001','make it darker','The picture is darker.','The picture is darker.','done','{"text_cfg":"auto","steps":20}','{"text_cfg":7.5,"image_cfg":1.5,"steps":50,"seed":1371,"sampler":"dpmpp_2m","keep":"strict"}','1111111111111111111111111111111111111111111111111111111111111111','{"reading":1.5,"painting":4.25}',0.375,'["Nothing had to be put back."]',NULL,'{"channel":501,"message":9001,"guild":77,"file_limit":10485760,"language":"de","token":null,"parent":500,"event":"discord:m:done","auto":["text_cfg"],"hidden":true}','discord:501:9011',1790000003.0,1790000005.0,NULL,0);
INSERT INTO "turns" VALUES('wait','ses001',2,'done','discord:1001','now add a red hat',NULL,NULL,'waiting',NULL,'{"text_cfg":7.5,"image_cfg":1.5,"steps":50,"seed":1371,"sampler":"dpmpp_2m","keep":"strict"}',NULL,'{}',NULL,'[]',NULL,'{"channel":501,"message":9001,"guild":77,"file_limit":10485760,"language":"de","token":null,"parent":500,"event":"discord:m:wait","auto":[],"hidden":true}','discord:501:9020',1790000007.0,NULL,NULL,1);
INSERT INTO "turns" VALUES('runn','ses001',3,'done','discord:1002','make it blue',NULL,NULL,'running',NULL,'{"text_cfg":7.5,"image_cfg":1.5,"steps":50,"seed":1371,"sampler":"dpmpp_2m","keep":"strict"}',NULL,'{}',NULL,'[]',NULL,'{"channel":501,"message":null,"guild":77,"file_limit":26214400,"language":"en","token":null,"parent":500,"event":"discord:m:runn","auto":[],"hidden":true}','discord:501:9021',1790000008.0,NULL,NULL,0);
INSERT INTO "turns" VALUES('deld','ses001',4,'up01','discord:1001','make it green','It is green.',NULL,'delivering',NULL,'{"text_cfg":7.5,"image_cfg":1.5,"steps":50,"seed":1371,"sampler":"dpmpp_2m","keep":"strict"}','2222222222222222222222222222222222222222222222222222222222222222','{}',NULL,'[]',NULL,'{"channel":501,"message":9001,"guild":77,"file_limit":10485760,"language":"de","token":null,"parent":500,"event":"discord:m:deld","auto":[],"hidden":true}','discord:501:9022',1790000010.0,1790000012.0,NULL,0);
INSERT INTO "turns" VALUES('delf','ses001',5,'up01','discord:1001','make it loud',NULL,NULL,'delivering',NULL,'{"text_cfg":7.5,"image_cfg":1.5,"steps":50,"seed":1371,"sampler":"dpmpp_2m","keep":"strict"}',NULL,'{}',NULL,'[]','The edit failed; please try again.','{"channel":501,"message":9001,"guild":77,"file_limit":10485760,"language":"de","token":null,"parent":500,"event":"discord:m:delf","auto":[],"hidden":true}',NULL,1790000013.0,1790000015.0,NULL,0);
INSERT INTO "turns" VALUES('fail','ses001',6,'up01','discord:1001','make it yellow',NULL,NULL,'failed',NULL,'{"text_cfg":7.5,"image_cfg":1.5,"steps":50,"seed":1371,"sampler":"dpmpp_2m","keep":"strict"}',NULL,'{}',NULL,'[]','Das Ergebnis wurde zurückgehalten: die Moderation hier hat so ein Bild entfernt (0123456789abcdef). Versuch es mit anderen Worten. Nicht gezählt.','{"channel":501,"message":9001,"guild":77,"file_limit":10485760,"language":"de","token":null,"parent":500,"event":"discord:m:fail","auto":[],"hidden":true}','discord:501:9023',1790000016.0,1790000018.0,NULL,0);
INSERT INTO "turns" VALUES('canc','ses001',7,'up01','discord:1001','make it purple',NULL,NULL,'cancelled',NULL,'{"text_cfg":7.5,"image_cfg":1.5,"steps":50,"seed":1371,"sampler":"dpmpp_2m","keep":"strict"}',NULL,'{}',NULL,'[]',NULL,'{"channel":501,"message":9001,"guild":77,"file_limit":10485760,"language":"de","token":null,"parent":500,"event":"discord:m:canc","auto":[],"hidden":true}','discord:501:9024',1790000020.0,1790000021.0,NULL,0);
INSERT INTO "turns" VALUES('grid','ses001',8,'up01','discord:1002','make it darker',NULL,NULL,'done',NULL,'{"text_cfg":7.5,"image_cfg":1.5,"steps":50,"seed":1371,"sampler":"dpmpp_2m","keep":"strict"}','3333333333333333333333333333333333333333333333333333333333333333','{}',NULL,'[]',NULL,'{"channel":501,"message":9001,"guild":77,"file_limit":10485760,"language":"de","token":null,"parent":500,"event":"discord:m:grid","auto":[],"hidden":true}','discord:501:9025',1790000023.0,1790000025.0,'{"text_cfg":[5.5,7.5],"image_cfg":[1.1,1.5]}',0);
INSERT INTO "turns" VALUES('up02','ses002',0,NULL,'web:5f2c','',NULL,NULL,'done',NULL,NULL,'4444444444444444444444444444444444444444444444444444444444444444','{}',NULL,'[]',NULL,'{"language":"es","hidden":false,"lent_by":null}',NULL,1790000028.0,1790000028.0,NULL,0);
INSERT INTO "turns" VALUES('web1','ses002',1,'up02','web:5f2c','hazlo rojo',NULL,NULL,'done',NULL,'{"text_cfg":7.5,"image_cfg":1.5,"steps":50,"seed":1371,"sampler":"dpmpp_2m","keep":"strict"}','5555555555555555555555555555555555555555555555555555555555555555','{}',NULL,'[]',NULL,'{"language":"es","event":"web:e:77","auto":[],"hidden":false}','web:web1',1790000029.0,1790000031.0,NULL,0);
INSERT INTO "turns" VALUES('up03','ses003',0,NULL,'discord:1003','',NULL,NULL,'done',NULL,NULL,'6666666666666666666666666666666666666666666666666666666666666666','{}',NULL,'[]',NULL,'{"channel":601,"message":null,"guild":null,"file_limit":10485760,"language":"en","token":"aW50ZXJhY3Rpb24","parent":null,"hidden":false,"lent_by":null}',NULL,1790000033.0,1790000033.0,NULL,0);
INSERT INTO "turns" VALUES('visi','ses003',1,'up03','discord:1003','make it night',NULL,NULL,'done',NULL,'{"text_cfg":7.5,"image_cfg":1.5,"steps":50,"seed":1371,"sampler":"dpmpp_2m","keep":"strict"}','7777777777777777777777777777777777777777777777777777777777777777','{}',NULL,'[]',NULL,'{"channel":601,"message":null,"guild":null,"file_limit":10485760,"language":"en","token":"aW50ZXJhY3Rpb24","parent":null,"event":"discord:i:2","auto":[],"hidden":false}','discord:601:9030',1790000034.0,1790000036.0,NULL,0);
INSERT INTO "turns" VALUES('up04','ses004',0,NULL,'discord:1002','',NULL,NULL,'done',NULL,NULL,'8888888888888888888888888888888888888888888888888888888888888888','{}',NULL,'[]',NULL,'{"channel":502,"message":9040,"guild":78,"file_limit":10485760,"language":"en","token":null,"parent":null,"hidden":false,"lent_by":null}','discord:502:9040',1790000038.0,1790000038.0,NULL,0);
CREATE TABLE "wishes" (
   "scope" TEXT,
   "key" TEXT,
   "wish" TEXT,
   PRIMARY KEY ("scope", "key")
);
INSERT INTO "wishes" VALUES('session','ses001','{"keep":"off"}');
INSERT INTO "wishes" VALUES('person','discord:1001','{"image_cfg":"auto","steps":30}');
INSERT INTO "wishes" VALUES('channel','discord:501','{"seed":7}');
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX "idx_sessions_channel_created_at"
    ON "sessions" ("channel", "created_at");
CREATE INDEX "idx_sessions_owner"
    ON "sessions" ("owner");
CREATE UNIQUE INDEX "idx_turns_session_id_number"
    ON "turns" ("session_id", "number");
CREATE INDEX "idx_turns_state_created_at"
    ON "turns" ("state", "created_at");
CREATE INDEX "idx_turns_owner_created_at"
    ON "turns" ("owner", "created_at");
CREATE INDEX "idx_turns_image"
    ON "turns" ("image");
CREATE INDEX "idx_heads_person_moved_at"
    ON "heads" ("person", "moved_at");
CREATE INDEX "idx_deliveries_turn_id"
    ON "deliveries" ("turn_id");
CREATE INDEX "idx_seen_at"
    ON "seen" ("at");
CREATE INDEX "idx_consents_grantee"
    ON "consents" ("grantee");
COMMIT;
