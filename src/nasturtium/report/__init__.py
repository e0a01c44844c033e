"""Pictures and pages: architectures as text trees (:mod:`.tree`) and as drawings (:mod:`.drawing`)."""
