INSERT INTO meta VALUES('config', '0123456789abcdef');
INSERT INTO staged(path, value) VALUES
 ('/kernel/mm/damon/admin/kdamonds/nr_kdamonds', '2'),
 ('/kernel/mm/damon/admin/kdamonds/0/contexts/nr_contexts', '1'),
 ('/kernel/mm/damon/admin/kdamonds/0/contexts/0/operations', 'paddr'),
 ('/kernel/mm/damon/admin/kdamonds/0/contexts/0/schemes/nr_schemes', '1'),
 ('/kernel/mm/damon/admin/kdamonds/0/contexts/0/schemes/0/action', 'stat'),
 ('/udamon/kdamonds/0/budget', '300');
INSERT INTO kdamond VALUES(0, 1700000000000, 'auto', 200,
 '{"kdamonds": [{"state": null, "contexts": [{"ops": "paddr", "targets": [{"pid": null, "regions": [{"start": 4096, "end": 409600}]}], "schemes": [{"action": "stat"}]}]}]}', NULL);
INSERT INTO scheme VALUES(0, 0, 10, 40960, 10, 40960, 0, 1, 10, 100, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 8192);
